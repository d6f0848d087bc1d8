package dev.decisionsidecar.internal;

import dev.decisionsidecar.internal.pb.ValueProto.NullValue;
import dev.decisionsidecar.internal.pb.ValueProto.Value;
import dev.decisionsidecar.internal.pb.ValueProto.ValueList;
import dev.decisionsidecar.internal.pb.ValueProto.ValueMap;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;

/** Values of Java to `Value` of the contract and back. Exact: an integer is int64, a boolean is never a number. */
public final class Encoding {
    /** Nesting of lists and maps in one value; a scalar has depth 0. The sidecar's own bound. */
    static final int DEPTH_MAX = 32;

    private static final String WANTED =
            "wanted null, Boolean, Byte, Short, Integer, Long, BigInteger, Float, Double, String, List or Map";

    private Encoding() {}

    /**
     * Encode each entry. Throws IllegalArgumentException, with the path of the value, as
     * `properties[products][0][price]`, for what has no wire form.
     */
    public static void encodeAll(Map<String, ?> values, String where, BiConsumer<String, Value> put) {
        try {
            entries(values, 0, put);
        } catch (Misfit misfit) {
            throw new IllegalArgumentException(where + misfit.path + " " + misfit.getMessage());
        }
    }

    /** Throws IllegalArgumentException for a text that is null or no Unicode. */
    public static String checked(String name, String text) {
        if (text == null || !isUnicode(text)) {
            throw new IllegalArgumentException(name
                    + (text == null ? " is null, wanted a text" : " is text with a lone surrogate, wanted Unicode"));
        }
        return text;
    }

    private static void entries(Map<?, ?> values, int depth, BiConsumer<String, Value> put) throws Misfit {
        for (Map.Entry<?, ?> entry : values.entrySet()) {
            if (!(entry.getKey() instanceof String key) || !isUnicode(key)) {
                throw new Misfit("has the key `" + entry.getKey() + "`, wanted a String of Unicode");
            }
            try {
                put.accept(key, encode(entry.getValue(), depth));
            } catch (Misfit misfit) {
                throw misfit.within(key);
            }
        }
    }

    private static Value encode(Object value, int depth) throws Misfit {
        Value.Builder target = Value.newBuilder();
        if (value instanceof String text) {
            if (!isUnicode(text)) {
                throw new Misfit("is text with a lone surrogate, wanted Unicode");
            }
            return target.setStringValue(text).build();
        }
        if (value instanceof Boolean flag) {
            return target.setBoolValue(flag).build();
        }
        if (value instanceof Number number) {
            return number(number, target);
        }
        if (value == null) {
            return target.setNullValue(NullValue.NULL_VALUE_UNSPECIFIED).build();
        }
        return nested(value, depth, target);
    }

    private static Value number(Number number, Value.Builder target) throws Misfit {
        if (number instanceof Double || number instanceof Float) {
            return target.setDoubleValue(number.doubleValue()).build();
        }
        if (number instanceof Long || number instanceof Integer || number instanceof Short || number instanceof Byte) {
            return target.setIntValue(number.longValue()).build();
        }
        if (number instanceof BigInteger big) {
            if (big.bitLength() >= Long.SIZE) {
                throw new Misfit("is `" + big + "`, wanted an integer within int64");
            }
            return target.setIntValue(big.longValue()).build();
        }
        String hint = number instanceof BigDecimal ? "; money goes into `revenue`" : "";
        throw new Misfit("is " + number.getClass().getSimpleName() + ", " + WANTED + hint);
    }

    private static Value nested(Object value, int depth, Value.Builder target) throws Misfit {
        if (!(value instanceof List) && !(value instanceof Map)) {
            throw new Misfit("is " + value.getClass().getSimpleName() + ", " + WANTED);
        }
        if (depth == DEPTH_MAX) {
            throw new Misfit("is nested deeper than " + DEPTH_MAX + " levels");
        }
        if (value instanceof Map<?, ?> map) {
            ValueMap.Builder fields = ValueMap.newBuilder();
            entries(map, depth + 1, fields::putFields);
            return target.setMapValue(fields).build();
        }
        ValueList.Builder elements = ValueList.newBuilder();
        for (Object element : (List<?>) value) {
            try {
                elements.addValues(encode(element, depth + 1));
            } catch (Misfit misfit) {
                throw misfit.within(elements.getValuesCount());
            }
        }
        return target.setListValue(elements).build();
    }

    private static boolean isUnicode(String text) {
        for (int index = 0; index < text.length(); index++) {
            char unit = text.charAt(index);
            if (!Character.isSurrogate(unit)) {
                continue;
            }
            boolean paired = Character.isHighSurrogate(unit)
                    && index + 1 < text.length()
                    && Character.isLowSurrogate(text.charAt(index + 1));
            if (!paired) {
                return false;
            }
            index++;
        }
        return true;
    }

    /** The value of a message; one without a kind, or of a kind that this client does not know, is null. */
    public static Object decode(Value message) {
        return switch (message.getKindCase()) {
            case BOOL_VALUE -> message.getBoolValue();
            case INT_VALUE -> message.getIntValue();
            case DOUBLE_VALUE -> message.getDoubleValue();
            case STRING_VALUE -> message.getStringValue();
            case LIST_VALUE -> decodeList(message.getListValue());
            case MAP_VALUE -> decodeAll(message.getMapValue().getFieldsMap());
            case NULL_VALUE, KIND_NOT_SET -> null;
        };
    }

    private static List<Object> decodeList(ValueList message) {
        List<Object> values = new ArrayList<>(message.getValuesCount());
        message.getValuesList().forEach(each -> values.add(decode(each)));
        return Collections.unmodifiableList(values);
    }

    /** The values of a map. */
    public static Map<String, Object> decodeAll(Map<String, Value> messages) {
        Map<String, Object> values = new LinkedHashMap<>();
        messages.forEach((key, message) -> values.put(key, decode(message)));
        return Collections.unmodifiableMap(values);
    }

    /** A value that has no wire form; collects its path on the way out. */
    private static final class Misfit extends Exception {
        private static final long serialVersionUID = 1L;

        private String path = "";

        Misfit(String problem) {
            super(problem, null, false, false);
        }

        Misfit within(Object key) {
            path = "[" + key + "]" + path;
            return this;
        }
    }
}
