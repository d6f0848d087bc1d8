package dev.decisionsidecar;

/** The flag has no such variable, or it is null, and the caller gave no default. */
public final class VariableMissingException extends VariableException {
    private static final long serialVersionUID = 1L;

    VariableMissingException(String flagKey, String variableKey, String wanted) {
        super(
                "flag `" + flagKey + "` has no value for variable `" + variableKey + "`, wanted " + wanted
                        + " or a default",
                flagKey,
                variableKey,
                wanted);
    }
}
