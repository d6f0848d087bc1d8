package dev.decisionsidecar.conformance;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.math.BigInteger;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What a step, or a part of one, says, in the values of Java: the forms of clients/conformance/README.md, read. */
record Step(JsonObject json) {
    static final Step EMPTY = new Step(new JsonObject());

    boolean has(String name) {
        return json.has(name) && !json.get(name).isJsonNull();
    }

    String text(String name) {
        return has(name) ? json.get(name).getAsString() : "";
    }

    boolean flag(String name) {
        return has(name) && json.get(name).getAsBoolean();
    }

    int number(String name, int otherwise) {
        return has(name) ? json.get(name).getAsInt() : otherwise;
    }

    Duration milliseconds(String name) {
        return Duration.ofMillis(json.get(name).getAsLong());
    }

    Step part(String name) {
        return has(name) ? new Step(json.getAsJsonObject(name)) : EMPTY;
    }

    List<Step> parts(String name) {
        List<Step> parts = new ArrayList<>();
        for (JsonElement each : array(name)) {
            parts.add(new Step(each.getAsJsonObject()));
        }
        return parts;
    }

    List<String> texts(String name) {
        List<String> texts = new ArrayList<>();
        array(name).forEach(each -> texts.add(each.getAsString()));
        return texts;
    }

    private JsonArray array(String name) {
        return has(name) ? json.getAsJsonArray(name) : new JsonArray();
    }

    /** A member that is a VALUE. */
    Object value(String name) {
        return value(json.get(name));
    }

    /** A member that is a map of VALUEs; absent = empty. */
    Map<String, Object> values(String name) {
        return values(part(name).json());
    }

    private static Map<String, Object> values(JsonObject form) {
        Map<String, Object> values = new LinkedHashMap<>();
        form.entrySet().forEach(each -> values.put(each.getKey(), value(each.getValue())));
        return values;
    }

    private static Object value(JsonElement form) {
        if (form == null || form.isJsonNull()) {
            return null;
        }
        if (form.isJsonPrimitive()) {
            return form.getAsJsonPrimitive().isBoolean() ? (Object) form.getAsBoolean() : form.getAsString();
        }
        JsonObject tagged = form.getAsJsonObject();
        if (tagged.has("int")) {
            return new BigInteger(tagged.get("int").getAsString());
        }
        if (tagged.has("double")) {
            return Double.parseDouble(tagged.get("double").getAsString());
        }
        if (tagged.has("repeat")) {
            return tagged.get("repeat").getAsString().repeat(tagged.get("times").getAsInt());
        }
        if (tagged.has("map")) {
            return values(tagged.getAsJsonObject("map"));
        }
        List<Object> elements = new ArrayList<>();
        tagged.getAsJsonArray("list").forEach(each -> elements.add(value(each)));
        return elements;
    }
}
