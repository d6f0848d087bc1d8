package dev.decisionsidecar.internal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.security.KeyPairGenerator;
import java.util.Arrays;
import java.util.Base64;
import org.junit.jupiter.api.Test;

/** Keys of other forms. Those of elliptic curves are in the conformance scenarios, whose certificates have them. */
final class PrivateKeyTest {
    /** Where in a PrivateKeyInfo of RSA, 2,048 bits, the key itself begins. */
    private static final int KEY = 26;

    @Test
    void anRsaKeyOfOpensslIsThatOfJava() throws Exception {
        KeyPairGenerator keys = KeyPairGenerator.getInstance("RSA");
        keys.initialize(2048);
        byte[] whole = keys.generateKeyPair().getPrivate().getEncoded();
        byte[] bare = Arrays.copyOfRange(whole, KEY, whole.length);
        String pem = "-----BEGIN RSA PRIVATE KEY-----\n"
                + Base64.getMimeEncoder().encodeToString(bare) + "\n-----END RSA PRIVATE KEY-----\n";
        String wrapped = PrivateKey.pkcs8(pem).replaceAll("-----[A-Z ]+-----", "");
        assertArrayEquals(whole, Base64.getMimeDecoder().decode(wrapped));
    }

    @Test
    void aKeyOfJavasOwnFormIsAsItIs() {
        assertEquals("-----BEGIN PRIVATE KEY-----\n", PrivateKey.pkcs8("-----BEGIN PRIVATE KEY-----\n"));
    }
}
