package org.sapwood.cli;

import org.sapwood.io.HostFacts;
import picocli.CommandLine.IVersionProvider;

/** What {@code sapwood --version} prints. */
final class VersionText implements IVersionProvider {
    @Override
    public String[] getVersion() {
        HostFacts host = HostFacts.collect();
        return new String[] {"sapwood " + host.sapwood(), "Java " + host.jdk(), host.os()};
    }
}
