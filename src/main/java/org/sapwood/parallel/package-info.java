/** Threads that share work whose results do not depend on how it is shared. */
@NullMarked
package org.sapwood.parallel;

import org.jspecify.annotations.NullMarked;
