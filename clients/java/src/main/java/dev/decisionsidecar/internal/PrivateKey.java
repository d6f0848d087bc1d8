package dev.decisionsidecar.internal;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.Base64;
import java.util.HexFormat;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A private key in PEM as PKCS 8, the only form that Java reads: what OpenSSL writes as `EC PRIVATE KEY` (RFC 5915) or
 * `RSA PRIVATE KEY` (RFC 8017) is wrapped into a PrivateKeyInfo (RFC 5208).
 */
final class PrivateKey {
    private static final Pattern PEM =
            Pattern.compile("-----BEGIN (EC|RSA) PRIVATE KEY-----([A-Za-z0-9+/=\\s]+)-----END \\1 PRIVATE KEY-----");
    private static final byte[] VERSION = HexFormat.of().parseHex("020100");
    private static final byte[] EC = HexFormat.of().parseHex("06072a8648ce3d0201");
    private static final byte[] RSA = HexFormat.of().parseHex("06092a864886f70d0101010500");
    private static final int SEQUENCE = 0x30;
    private static final int OCTETS = 0x04;
    private static final int CURVE = 0xA0;

    private PrivateKey() {}

    /** The key as PKCS 8; one of another form as it is. Throws IllegalArgumentException for a key without its curve. */
    static String pkcs8(String pem) {
        Matcher found = PEM.matcher(pem);
        if (!found.find()) {
            return pem;
        }
        byte[] key = Base64.getMimeDecoder().decode(found.group(2));
        byte[] algorithm = found.group(1).equals("EC") ? joined(EC, curve(key)) : RSA;
        byte[] whole = element(SEQUENCE, joined(VERSION, element(SEQUENCE, algorithm), element(OCTETS, key)));
        String text = Base64.getMimeEncoder().encodeToString(whole);
        return "-----BEGIN PRIVATE KEY-----\n" + text + "\n-----END PRIVATE KEY-----\n";
    }

    /** The curve's identifier: what stands in the element [0] of an ECPrivateKey. */
    private static byte[] curve(byte[] key) {
        ByteBuffer rest = ByteBuffer.wrap(key);
        rest.get();
        length(rest);
        while (rest.hasRemaining()) {
            int tag = rest.get() & 0xFF;
            byte[] content = new byte[length(rest)];
            rest.get(content);
            if (tag == CURVE) {
                return content;
            }
        }
        throw new IllegalArgumentException("the EC key names no curve");
    }

    private static int length(ByteBuffer rest) {
        int first = rest.get() & 0xFF;
        if (first < 0x80) {
            return first;
        }
        int length = 0;
        for (int count = first & 0x7F; count > 0; count--) {
            length = length << 8 | rest.get() & 0xFF;
        }
        return length;
    }

    private static byte[] element(int tag, byte[] content) {
        int length = content.length;
        // DER wants the shortest form.
        byte[] head = length < 0x80
                ? new byte[] {(byte) tag, (byte) length}
                : length < 0x100
                        ? new byte[] {(byte) tag, (byte) 0x81, (byte) length}
                        : new byte[] {(byte) tag, (byte) 0x82, (byte) (length >> 8), (byte) length};
        return joined(head, content);
    }

    private static byte[] joined(byte[]... parts) {
        ByteArrayOutputStream whole = new ByteArrayOutputStream();
        for (byte[] each : parts) {
            whole.writeBytes(each);
        }
        return whole.toByteArray();
    }
}
