package dev.decisionsidecar.internal;

import com.google.protobuf.Any;
import com.google.rpc.BadRequest;
import dev.decisionsidecar.internal.pb.DatafileProto.GetStatusResponse;
import dev.decisionsidecar.internal.pb.DatafileProto.WatchResponse;
import dev.decisionsidecar.internal.pb.DecisionProto;
import dev.decisionsidecar.internal.pb.DecisionProto.DecideRequest;
import dev.decisionsidecar.internal.pb.DecisionProto.DecideResponse;
import dev.decisionsidecar.internal.pb.EventProto.Outcome;
import dev.decisionsidecar.internal.pb.EventProto.OutcomeState;
import dev.decisionsidecar.internal.pb.ReasonProto.DecisionReason;
import dev.decisionsidecar.internal.pb.TrackingProto.FlushResponse;
import dev.decisionsidecar.internal.pb.TrackingProto.ImportRequest;
import dev.decisionsidecar.internal.pb.TrackingProto.ImportResponse;
import dev.decisionsidecar.internal.pb.TrackingProto.TrackRequest;
import dev.decisionsidecar.internal.pb.TrackingProto.TrackResponse;
import io.grpc.HandlerRegistry;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerMethodDefinition;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.netty.shaded.io.netty.channel.EventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollEventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.grpc.netty.shaded.io.netty.channel.unix.DomainSocketAddress;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;

/** A real gRPC server over TCP or a Unix socket, scripted by the test: answers plausibly, keeps every request. */
public final class ScriptedSidecar implements AutoCloseable {
    /** One call as it came. */
    public record Seen(String method, byte[] request, Metadata headers) {}

    public final List<Seen> seen = new CopyOnWriteArrayList<>();
    public final BlockingQueue<String> changes = new LinkedBlockingQueue<>();
    public volatile CountDownLatch entered = new CountDownLatch(1);
    private final Queue<Failure> failures = new ConcurrentLinkedQueue<>();
    private volatile CountDownLatch held = new CountDownLatch(0);
    private final EventLoopGroup group = new EpollEventLoopGroup(1);
    private final String unix;
    private int port;
    private Server server;

    private record Failure(Status status, byte[] details) {}

    public ScriptedSidecar() throws IOException {
        this("");
    }

    public ScriptedSidecar(String unix) throws IOException {
        this.unix = unix;
        start();
    }

    public void start() throws IOException {
        NettyServerBuilder builder = unix.isEmpty()
                ? NettyServerBuilder.forAddress(new InetSocketAddress("127.0.0.1", port))
                : NettyServerBuilder.forAddress(new DomainSocketAddress(unix))
                        .channelType(EpollServerDomainSocketChannel.class)
                        .bossEventLoopGroup(group)
                        .workerEventLoopGroup(group);
        server = builder.executor(Executors.newCachedThreadPool())
                .fallbackHandlerRegistry(new Registry())
                .build()
                .start();
        port = unix.isEmpty() ? server.getPort() : 0;
    }

    public void stop() throws InterruptedException {
        server.shutdownNow().awaitTermination();
    }

    @Override
    public void close() {
        held.countDown();
        server.shutdownNow();
        group.shutdownGracefully(0, 1, java.util.concurrent.TimeUnit.SECONDS);
    }

    public String address() {
        return unix.isEmpty() ? "127.0.0.1:" + port : "unix:" + unix;
    }

    public void fail(Status status, int times) {
        for (int count = 0; count < times; count++) {
            failures.add(new Failure(status, null));
        }
    }

    public void refuse(String... fieldsAndWords) {
        BadRequest.Builder refused = BadRequest.newBuilder();
        for (int index = 0; index < fieldsAndWords.length; index += 2) {
            refused.addFieldViolationsBuilder()
                    .setField(fieldsAndWords[index])
                    .setDescription(fieldsAndWords[index + 1]);
        }
        com.google.rpc.Status details = com.google.rpc.Status.newBuilder()
                .setCode(3)
                .addDetails(Any.pack(refused.build()))
                .build();
        failures.add(new Failure(Status.INVALID_ARGUMENT.withDescription("refused"), details.toByteArray()));
    }

    /** From now on every call waits, until `release`. */
    public void hold() {
        held = new CountDownLatch(1);
        entered = new CountDownLatch(1);
    }

    public void release() {
        held.countDown();
    }

    public List<byte[]> requests(String method) {
        return seen.stream()
                .filter(each -> each.method().endsWith("/" + method))
                .map(Seen::request)
                .toList();
    }

    private byte[] answer(String method, byte[] request) throws IOException {
        return switch (method.substring(method.lastIndexOf('/') + 1)) {
            case "Decide" -> decided(DecideRequest.parseFrom(request)).toByteArray();
            case "Track" ->
                TrackResponse.newBuilder()
                        .setEventId(TrackRequest.parseFrom(request).getEventId())
                        .addOutcomes(outcome("console", OutcomeState.OUTCOME_STATE_QUEUED, ""))
                        .addOutcomes(outcome("shop", OutcomeState.OUTCOME_STATE_SKIPPED, "TOO_LARGE"))
                        .build()
                        .toByteArray();
            case "Import" ->
                ImportResponse.newBuilder()
                        .setRepeatedEvents(ImportRequest.parseFrom(request).getEventsCount() - 1)
                        .build()
                        .toByteArray();
            case "GetStatus" ->
                GetStatusResponse.newBuilder()
                        .setName("default")
                        .setRevision("41")
                        .build()
                        .toByteArray();
            case "Flush" -> FlushResponse.getDefaultInstance().toByteArray();
            default -> new byte[0];
        };
    }

    private static Outcome outcome(String destination, OutcomeState state, String reason) {
        return Outcome.newBuilder()
                .setDestination(destination)
                .setState(state)
                .setReason(reason)
                .build();
    }

    private static DecideResponse decided(DecideRequest request) {
        DecideResponse.Builder response =
                DecideResponse.newBuilder().setRevision("41").setDecisionId(request.getDecisionId());
        for (String key : request.getFlagKeysList()) {
            response.addDecisions(DecisionProto.Decision.newBuilder()
                    .setFlagKey(key)
                    .setVariationKey("on")
                    .setEnabled(true)
                    .setReason(DecisionReason.DECISION_REASON_BUCKETED)
                    // What the user has comes back as the flag's variables.
                    .putAllVariables(request.getAttributesMap()));
        }
        return response.build();
    }

    private final class Registry extends HandlerRegistry {
        @Override
        public ServerMethodDefinition<?, ?> lookupMethod(String method, String authority) {
            boolean streaming = method.endsWith("/Watch");
            MethodDescriptor.MethodType type =
                    streaming ? MethodDescriptor.MethodType.SERVER_STREAMING : MethodDescriptor.MethodType.UNARY;
            return ServerMethodDefinition.create(Bytes.method("/" + method, type), new Handler());
        }
    }

    private final class Handler implements ServerCallHandler<byte[], byte[]> {
        @Override
        public ServerCall.Listener<byte[]> startCall(ServerCall<byte[], byte[]> call, Metadata headers) {
            call.request(2);
            return new ServerCall.Listener<>() {
                private byte[] request;

                @Override
                public void onMessage(byte[] message) {
                    request = message;
                }

                @Override
                public void onHalfClose() {
                    try {
                        respond(call, headers, request);
                    } catch (IOException | InterruptedException error) {
                        call.close(Status.INTERNAL.withCause(error), new Metadata());
                    }
                }
            };
        }
    }

    private void respond(ServerCall<byte[], byte[]> call, Metadata headers, byte[] request)
            throws IOException, InterruptedException {
        String method = call.getMethodDescriptor().getFullMethodName();
        seen.add(new Seen(method, request, headers));
        entered.countDown();
        held.await();
        Failure failure = failures.poll();
        Metadata trailers = new Metadata();
        if (failure != null) {
            if (failure.details() != null) {
                trailers.put(
                        Metadata.Key.of("grpc-status-details-bin", Metadata.BINARY_BYTE_MARSHALLER), failure.details());
            }
            call.close(failure.status(), trailers);
            return;
        }
        call.sendHeaders(new Metadata());
        if (method.endsWith("/Watch")) {
            while (!call.isCancelled()) {
                String revision = changes.poll(20, java.util.concurrent.TimeUnit.MILLISECONDS);
                if (revision != null) {
                    call.sendMessage(WatchResponse.newBuilder()
                            .setRevision(revision)
                            .setSource("file:/shop.json")
                            .build()
                            .toByteArray());
                }
            }
            return;
        }
        call.sendMessage(answer(method, request));
        call.close(Status.OK, trailers);
    }
}
