package interop;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import io.grpc.CallOptions;
import io.grpc.ChannelCredentials;
import io.grpc.ClientCall;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Status;
import io.grpc.TlsChannelCredentials;
import java.io.ByteArrayInputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * Makes the calls that standard input lists, through grpc-java on netty, and prints one JSON line for each. It knows no
 * message type: requests and replies are bytes, in hex. The plan's form: tests/interop/callers.py.
 */
public final class Caller {
  private record Plan(String network, String address, String ca, String server_name, List<Call> calls) {}

  private record Call(
      String name,
      String kind,
      String method,
      List<String> requests,
      List<List<String>> metadata,
      int timeout_ms,
      int cancel_after,
      boolean gzip) {}

  private record Result(
      String name, int code, String message, String details, String initial, String trailing, List<String> replies) {}

  private static final Metadata.Key<String> INITIAL = text("x-grpc-test-echo-initial");
  private static final Metadata.Key<byte[]> TRAILING = binary("x-grpc-test-echo-trailing-bin");
  private static final Metadata.Key<byte[]> DETAILS = binary("grpc-status-details-bin");

  /** Leaves bytes alone. */
  private static final MethodDescriptor.Marshaller<byte[]> RAW =
      new MethodDescriptor.Marshaller<>() {
        @Override
        public InputStream stream(byte[] bytes) {
          return new ByteArrayInputStream(bytes);
        }

        @Override
        public byte[] parse(InputStream stream) {
          try {
            return stream.readAllBytes();
          } catch (IOException broken) {
            throw new UncheckedIOException(broken);
          }
        }
      };

  private Caller() {}

  public static void main(String[] arguments) throws Exception {
    Gson gson = new GsonBuilder().disableHtmlEscaping().create();
    Plan plan = gson.fromJson(new InputStreamReader(System.in, StandardCharsets.UTF_8), Plan.class);
    PrintStream lines = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    ManagedChannel channel = channel(plan);
    for (Call call : plan.calls()) {
      lines.println(gson.toJson(new Exchange(channel, call).run()));
    }
    channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
  }

  /** By the registry of providers: netty's builder alone cannot reach a Unix socket. */
  private static ManagedChannel channel(Plan plan) throws IOException {
    if (!plan.network().equals("tls")) {
      String target = plan.network().equals("unix") ? "unix:" + plan.address() : plan.address();
      return Grpc.newChannelBuilder(target, InsecureChannelCredentials.create()).build();
    }
    ChannelCredentials trusting = TlsChannelCredentials.newBuilder().trustManager(new File(plan.ca())).build();
    return Grpc.newChannelBuilder(plan.address(), trusting).overrideAuthority(plan.server_name()).build();
  }

  private static Metadata.Key<String> text(String key) {
    return Metadata.Key.of(key, Metadata.ASCII_STRING_MARSHALLER);
  }

  private static Metadata.Key<byte[]> binary(String key) {
    return Metadata.Key.of(key, Metadata.BINARY_BYTE_MARSHALLER);
  }

  /** One call: sends and reads in turn on a bidirectional stream, else sends all and reads all. */
  private static final class Exchange extends ClientCall.Listener<byte[]> {
    private final Call call;
    private final ClientCall<byte[], byte[]> stream;
    private final CompletableFuture<Result> ended = new CompletableFuture<>();
    private final List<String> replies = new ArrayList<>();
    private String initial = "";
    private int sent;

    Exchange(ManagedChannel channel, Call call) {
      this.call = call;
      MethodType type =
          switch (call.kind()) {
            case "unary" -> MethodType.UNARY;
            case "bidi" -> MethodType.BIDI_STREAMING;
            default -> MethodType.SERVER_STREAMING;
          };
      MethodDescriptor<byte[], byte[]> method =
          MethodDescriptor.newBuilder(RAW, RAW).setType(type).setFullMethodName(call.method().substring(1)).build();
      CallOptions options = CallOptions.DEFAULT.withDeadlineAfter(call.timeout_ms(), TimeUnit.MILLISECONDS);
      stream = channel.newCall(method, call.gzip() ? options.withCompression("gzip") : options);
    }

    Result run() throws Exception {
      Metadata headers = new Metadata();
      for (List<String> pair : call.metadata()) {
        if (pair.get(0).endsWith("-bin")) {
          headers.put(binary(pair.get(0)), HexFormat.of().parseHex(pair.get(1)));
        } else {
          headers.put(text(pair.get(0)), pair.get(1));
        }
      }
      stream.start(this, headers);
      stream.request(Integer.MAX_VALUE);
      next();
      return ended.get();
    }

    private void next() {
      if (sent < call.requests().size()) {
        stream.sendMessage(HexFormat.of().parseHex(call.requests().get(sent++)));
        if (!call.kind().equals("bidi")) {
          stream.halfClose();
        }
      } else if (call.kind().equals("bidi") && sent++ == call.requests().size()) {
        stream.halfClose();
      }
    }

    @Override
    public void onHeaders(Metadata headers) {
      initial = headers.containsKey(INITIAL) ? headers.get(INITIAL) : "";
    }

    @Override
    public void onMessage(byte[] reply) {
      replies.add(HexFormat.of().formatHex(reply));
      if (replies.size() == call.cancel_after()) {
        stream.cancel("the plan says so", null);
      } else {
        next();
      }
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      String message = status.getDescription() == null ? "" : status.getDescription();
      ended.complete(
          new Result(
              call.name(),
              status.getCode().value(),
              message,
              hex(trailers.get(DETAILS)),
              initial,
              hex(trailers.get(TRAILING)),
              replies));
    }

    private static String hex(byte[] bytes) {
      return bytes == null ? "" : HexFormat.of().formatHex(bytes);
    }
  }
}
