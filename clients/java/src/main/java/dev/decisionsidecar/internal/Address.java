package dev.decisionsidecar.internal;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where a sidecar listens.
 *
 * @param path of a Unix socket; empty for TCP
 */
record Address(String path, String host, int port) {
    private static final int PORT_MAX = 65_535;
    private static final Pattern TCP = Pattern.compile("(\\[[0-9a-fA-F:.%]+]|[^\\[\\]]+):([0-9]{1,5})");

    /** Throws IllegalArgumentException for what is neither `HOST:PORT` nor `unix:PATH`. */
    static Address parse(String text) {
        if (text.startsWith("unix:") && text.length() > "unix:".length()) {
            return new Address(text.substring("unix:".length()), "", 0);
        }
        Matcher tcp = TCP.matcher(text);
        int port = tcp.matches() ? Integer.parseInt(tcp.group(2)) : 0;
        if (port < 1 || port > PORT_MAX) {
            throw new IllegalArgumentException("address is `" + text + "`, wanted `HOST:PORT` or `unix:PATH`");
        }
        String host = tcp.group(1);
        return new Address("", host.startsWith("[") ? host.substring(1, host.length() - 1) : host, port);
    }

    boolean isUnix() {
        return !path.isEmpty();
    }
}
