package dev.decisionsidecar;

/** The variable is there, but of another type than the caller reads it as. */
public final class VariableTypeMismatchException extends VariableException {
    private static final long serialVersionUID = 1L;

    private final transient Object got;

    VariableTypeMismatchException(String flagKey, String variableKey, Object got, String wanted) {
        super(
                "variable `" + variableKey + "` of flag `" + flagKey + "` is " + Variables.kindOf(got) + " `" + got
                        + "`, wanted " + wanted,
                flagKey,
                variableKey,
                wanted);
        this.got = got;
    }

    /** {@return the value that is there} */
    public Object got() {
        return got;
    }
}
