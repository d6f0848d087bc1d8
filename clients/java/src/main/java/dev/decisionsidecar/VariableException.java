package dev.decisionsidecar;

/** A variable of a decision cannot be read as asked. */
public abstract sealed class VariableException extends RuntimeException
        permits VariableMissingException, VariableTypeMismatchException {
    private static final long serialVersionUID = 1L;

    /** The flag. */
    private final String flagKey;
    /** The variable. */
    private final String variableKey;
    /** The type asked for. */
    private final String wanted;

    VariableException(String message, String flagKey, String variableKey, String wanted) {
        super(message);
        this.flagKey = flagKey;
        this.variableKey = variableKey;
        this.wanted = wanted;
    }

    /** {@return the flag} */
    public String flagKey() {
        return flagKey;
    }

    /** {@return the variable} */
    public String variableKey() {
        return variableKey;
    }

    /** {@return the type that was asked for: string, integer, double, boolean or json} */
    public String wanted() {
        return wanted;
    }
}
