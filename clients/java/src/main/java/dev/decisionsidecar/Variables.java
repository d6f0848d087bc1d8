package dev.decisionsidecar;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;

/**
 * The variables of one flag by key, typed as declared; null where a value was not of its type.
 *
 * <p>Values are null, {@link Boolean}, {@link Long}, {@link Double}, {@link String}, {@link List} and {@link Map}. Each
 * reader returns the variable; when it is absent or null, its default; without a default it throws {@link
 * VariableMissingException}. A variable of another type throws {@link VariableTypeMismatchException}, with or without a
 * default.
 */
public final class Variables {
    private final String flagKey;
    private final Map<String, Object> values;

    /**
     * Variables of one flag.
     *
     * @param flagKey the flag that errors name
     * @param values the variables by key; copied
     */
    public Variables(String flagKey, Map<String, ?> values) {
        this.flagKey = flagKey;
        this.values = Collections.unmodifiableMap(new LinkedHashMap<>(values));
    }

    /** {@return all variables by key, not to be changed} */
    public Map<String, Object> asMap() {
        return values;
    }

    /**
     * {@return a variable of type string}
     *
     * @param key the variable's key
     */
    public String getString(String key) {
        return required(key, "string", Variables::asString);
    }

    /**
     * {@return a variable of type string, or the default}
     *
     * @param key the variable's key
     * @param absent what stands for an absent or null variable; may be null
     */
    public String getString(String key, String absent) {
        String value = read(key, "string", Variables::asString);
        return value == null ? absent : value;
    }

    /**
     * {@return a variable of type integer, all of int64}
     *
     * @param key the variable's key
     */
    public long getInteger(String key) {
        return required(key, "integer", Variables::asInteger);
    }

    /**
     * {@return a variable of type integer, or the default}
     *
     * @param key the variable's key
     * @param absent what stands for an absent or null variable
     */
    public long getInteger(String key, long absent) {
        Long value = read(key, "integer", Variables::asInteger);
        return value == null ? absent : value;
    }

    /**
     * {@return a variable of type double} An integer is read as one.
     *
     * @param key the variable's key
     */
    public double getDouble(String key) {
        return required(key, "double", Variables::asDouble);
    }

    /**
     * {@return a variable of type double, or the default} An integer is read as one.
     *
     * @param key the variable's key
     * @param absent what stands for an absent or null variable
     */
    public double getDouble(String key, double absent) {
        Double value = read(key, "double", Variables::asDouble);
        return value == null ? absent : value;
    }

    /**
     * {@return a variable of type boolean}
     *
     * @param key the variable's key
     */
    public boolean getBoolean(String key) {
        return required(key, "boolean", Variables::asBoolean);
    }

    /**
     * {@return a variable of type boolean, or the default}
     *
     * @param key the variable's key
     * @param absent what stands for an absent or null variable
     */
    public boolean getBoolean(String key, boolean absent) {
        Boolean value = read(key, "boolean", Variables::asBoolean);
        return value == null ? absent : value;
    }

    /**
     * {@return a variable of type json that is an object or an array: a {@link Map} or a {@link List}} A scalar is read
     * from {@link #asMap()}.
     *
     * @param key the variable's key
     */
    public Object getJson(String key) {
        return required(key, "json", Variables::asJson);
    }

    /**
     * {@return a variable of type json that is an object or an array, or the default}
     *
     * @param key the variable's key
     * @param absent what stands for an absent or null variable; may be null
     */
    public Object getJson(String key, Object absent) {
        Object value = read(key, "json", Variables::asJson);
        return value == null ? absent : value;
    }

    private <T> T required(String key, String wanted, Function<Object, T> as) {
        T value = read(key, wanted, as);
        if (value == null) {
            throw new VariableMissingException(flagKey, key, wanted);
        }
        return value;
    }

    /** The value, or null when it is absent or null; `as` answers null for a value of another type. */
    private <T> T read(String key, String wanted, Function<Object, T> as) {
        Object value = values.get(key);
        if (value == null) {
            return null;
        }
        T typed = as.apply(value);
        if (typed == null) {
            throw new VariableTypeMismatchException(flagKey, key, value, wanted);
        }
        return typed;
    }

    private static String asString(Object value) {
        return value instanceof String text ? text : null;
    }

    private static Long asInteger(Object value) {
        return isInteger(value) ? (Long) ((Number) value).longValue() : null;
    }

    private static Double asDouble(Object value) {
        return value instanceof Double || value instanceof Float || isInteger(value)
                ? (Double) ((Number) value).doubleValue()
                : null;
    }

    private static Boolean asBoolean(Object value) {
        return value instanceof Boolean flag ? flag : null;
    }

    private static Object asJson(Object value) {
        return value instanceof List || value instanceof Map ? value : null;
    }

    // What a caller writes into a default: `4` is an Integer, and the wire's integers are Longs.
    private static boolean isInteger(Object value) {
        return value instanceof Long || value instanceof Integer || value instanceof Short || value instanceof Byte;
    }

    static String kindOf(Object value) {
        if (value instanceof String) {
            return "string";
        }
        if (value instanceof Boolean) {
            return "boolean";
        }
        if (isInteger(value)) {
            return "integer";
        }
        return value instanceof Double || value instanceof Float ? "double" : "json";
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Variables that && flagKey.equals(that.flagKey) && values.equals(that.values);
    }

    @Override
    public int hashCode() {
        return Objects.hash(flagKey, values);
    }

    @Override
    public String toString() {
        return values.toString();
    }
}
