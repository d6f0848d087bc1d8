package dev.decisionsidecar;

/**
 * TLS to the sidecar, with PEM texts; an empty text means none.
 *
 * @param authorityPem the authorities to trust; empty = those of the Java runtime
 * @param certificatePem this client's certificate chain, for a sidecar that asks for one; needs its key
 * @param keyPem the certificate's private key
 * @param serverName the name in the sidecar's certificate, when it is not the address
 */
public record Tls(String authorityPem, String certificatePem, String keyPem, String serverName) {
    /** TLS that trusts the authorities of the Java runtime. */
    public static final Tls SYSTEM = new Tls("", "", "", "");

    /**
     * Checks that certificate and key come together; throws {@link IllegalArgumentException} when not.
     *
     * @param authorityPem the authorities to trust
     * @param certificatePem this client's certificate chain
     * @param keyPem its private key
     * @param serverName the name in the sidecar's certificate
     */
    public Tls {
        if (certificatePem.isEmpty() != keyPem.isEmpty()) {
            throw new IllegalArgumentException("tls has one of certificate and key, wanted both or neither");
        }
    }

    /**
     * {@return TLS that trusts these authorities alone}
     *
     * @param authorityPem their certificates
     */
    public static Tls trusting(String authorityPem) {
        return new Tls(authorityPem, "", "", "");
    }

    /**
     * {@return the same with a client certificate}
     *
     * @param chainPem the certificate chain
     * @param privateKeyPem its private key
     */
    public Tls withCertificate(String chainPem, String privateKeyPem) {
        return new Tls(authorityPem, chainPem, privateKeyPem, serverName);
    }

    /**
     * {@return the same for a certificate of this name}
     *
     * @param name the name in the sidecar's certificate
     */
    public Tls withServerName(String name) {
        return new Tls(authorityPem, certificatePem, keyPem, name);
    }

    /** {@return what it is, without the key} */
    @Override
    public String toString() {
        return "Tls[authority=" + !authorityPem.isEmpty() + ", certificate=" + !certificatePem.isEmpty()
                + ", serverName=" + serverName + "]";
    }
}
