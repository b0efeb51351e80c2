package org.sapwood.report;

/** The command line, the versions, the hardware and every option. */
record ReproduceSection(RunFacts facts, Claim claim) implements Section {
    @Override
    public String id() {
        return "reproduce";
    }

    @Override
    public String title() {
        return "How to do it again";
    }

    @Override
    public boolean hasContent() {
        return !facts.options().isEmpty();
    }

    @Override
    public void append(Html html) {
        String command = CommandLineText.forShell(CommandLineText.words(facts, Masthead.runName(facts) + "-again"));
        html.open("pre").leaf("code", command).close("pre");
        html.leaf("p", repeatability(), "class", "note");
        html.leaf("h3", "Where it ran");
        html.open("dl", "class", "facts");
        if (facts.run().containsKey("backend")) {
            fact(html, "backend", String.valueOf(facts.run().get("backend")));
        }
        RunFacts.map(facts.run().get("host"))
                .forEach((name, value) -> fact(html, hostName(String.valueOf(name)), Values.text(value)));
        html.close("dl");
        html.open("details").leaf("summary", "Every option");
        Values.append(html, facts.options());
        html.close("details");
    }

    private String repeatability() {
        if (facts.options().get("seed") instanceof Number) {
            return "The same seed on the same backend gives the same bits, for any number of threads.";
        }
        return claim.kind() == Claim.Kind.PRIVATE
                ? "A private run draws fresh randomness each time: the same command gives another model of about the same"
                        + " quality, and spends the same budget on the same images once more."
                : "The run drew fresh randomness: the same command gives another model of about the same quality.";
    }

    private static String hostName(String field) {
        return switch (field) {
            case "sapwood" -> "Sapwood";
            case "jdk" -> "Java";
            case "os" -> "operating system";
            case "cpu" -> "processor";
            case "memoryMib" -> "memory, MiB";
            case "maxHeapMib" -> "Java heap at most, MiB";
            default -> Figures.words(field);
        };
    }

    private static void fact(Html html, String name, String value) {
        html.open("div").leaf("dt", name).leaf("dd", value).close("div");
    }
}
