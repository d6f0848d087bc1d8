package dev.decisionsidecar.internal;

import dev.decisionsidecar.ClientOptions;
import dev.decisionsidecar.Tls;
import io.grpc.ManagedChannel;
import io.grpc.netty.shaded.io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.netty.channel.ChannelOption;
import io.grpc.netty.shaded.io.netty.channel.EventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.epoll.Epoll;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollDomainSocketChannel;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollEventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollSocketChannel;
import io.grpc.netty.shaded.io.netty.channel.nio.NioEventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.socket.nio.NioSocketChannel;
import io.grpc.netty.shaded.io.netty.channel.unix.DomainSocketAddress;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslContext;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslContextBuilder;
import io.grpc.netty.shaded.io.netty.util.concurrent.DefaultThreadFactory;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;

/** One channel and its one thread. The only user of Netty. */
record Connection(ManagedChannel channel, EventLoopGroup group) {
    /** What a refusal with many violations may take in the trailers; gRPC's own bound is 8 KiB. */
    private static final int METADATA_BYTES_MAX = 1024 * 1024;

    private static final long QUIET_MS = 0;
    private static final long RELEASE_MS = 5_000;

    /** A channel that connects with its first call. Throws IllegalArgumentException for what cannot be. */
    static Connection to(Address address, ClientOptions options) {
        if (address.isUnix() && !Epoll.isAvailable()) {
            throw new IllegalArgumentException("address is `unix:" + address.path()
                    + "`, wanted `HOST:PORT`: Unix sockets need Linux on x86_64 or aarch64");
        }
        SslContext tls = options.tls().map(Connection::tls).orElse(null);
        ThreadFactory threads = new DefaultThreadFactory("sidecar-client", true);
        // One thread: one connection is served by one alone.
        EventLoopGroup group =
                Epoll.isAvailable() ? new EpollEventLoopGroup(1, threads) : new NioEventLoopGroup(1, threads);
        NettyChannelBuilder builder = dialing(address)
                .eventLoopGroup(group)
                .disableRetry()
                .disableServiceConfigLookUp()
                .proxyDetector(target -> null)
                .directExecutor()
                .maxInboundMetadataSize(METADATA_BYTES_MAX)
                .maxInboundMessageSize(options.replyBytesMax());
        if (tls == null) {
            builder.usePlaintext();
        } else {
            builder.useTransportSecurity().sslContext(tls);
        }
        String serverName = options.tls().map(Tls::serverName).orElse("");
        if (!serverName.isEmpty()) {
            builder.overrideAuthority(serverName);
        }
        return new Connection(builder.build(), group);
    }

    private static NettyChannelBuilder dialing(Address address) {
        if (address.isUnix()) {
            return NettyChannelBuilder.forAddress(new DomainSocketAddress(address.path()))
                    .channelType(EpollDomainSocketChannel.class)
                    // Taken away: gRPC sets it on every socket, and Netty warns that one of a path has none.
                    .withOption(ChannelOption.SO_KEEPALIVE, null)
                    .overrideAuthority("localhost");
        }
        return NettyChannelBuilder.forAddress(address.host(), address.port())
                .channelType(Epoll.isAvailable() ? EpollSocketChannel.class : NioSocketChannel.class);
    }

    private static SslContext tls(Tls tls) {
        SslContextBuilder builder = GrpcSslContexts.forClient();
        try {
            if (!tls.authorityPem().isEmpty()) {
                builder.trustManager(stream(tls.authorityPem()));
            }
            if (!tls.certificatePem().isEmpty()) {
                builder.keyManager(stream(tls.certificatePem()), stream(PrivateKey.pkcs8(tls.keyPem())));
            }
            return builder.build();
        } catch (IOException | RuntimeException error) {
            throw new IllegalArgumentException(
                    "tls has material that cannot be read, wanted certificates and a private key in PEM: "
                            + error.getMessage(),
                    error);
        }
    }

    private static InputStream stream(String pem) {
        return new ByteArrayInputStream(pem.getBytes(StandardCharsets.UTF_8));
    }

    /** After the channel has ended: the thread too. */
    void release() {
        group.shutdownGracefully(QUIET_MS, RELEASE_MS, TimeUnit.MILLISECONDS).awaitUninterruptibly(RELEASE_MS);
    }
}
