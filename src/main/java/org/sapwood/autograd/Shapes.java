package org.sapwood.autograd;

/** The shape checks of the recording layer; backends do none. */
final class Shapes {
    private Shapes() {}

    static void require(boolean condition, String operation, Variable x, Parameter parameter) {
        if (!condition) {
            throw new IllegalArgumentException(operation + ": input " + x.shape() + " does not fit parameter "
                    + parameter.name() + " " + parameter.value().shape());
        }
    }

    static void require(boolean condition, String operation, Variable a, Variable b) {
        if (!condition) {
            throw new IllegalArgumentException(
                    operation + ": shapes " + a.shape() + " and " + b.shape() + " do not fit");
        }
    }
}
