package dev.decisionsidecar.samples;

import dev.decisionsidecar.DatafileChange;
import dev.decisionsidecar.SidecarClient;
import dev.decisionsidecar.Watch;

/** Each change of the datafile, told as it comes into force: {@code WatchDatafile [ADDRESS] [COUNT]}. */
public final class WatchDatafile {
    private WatchDatafile() {}

    /** Prints the revision in force, then each change, over restarts of the sidecar, until interrupted. */
    public static void main(String[] arguments) {
        String address = arguments.length > 0 ? arguments[0] : SidecarClient.DEFAULT_ADDRESS;
        int left = arguments.length > 1 ? Integer.parseInt(arguments[1]) : Integer.MAX_VALUE;
        try (SidecarClient client = SidecarClient.connect(address);
                Watch watch = client.watch()) {
            while (left-- > 0 && watch.hasNext()) {
                DatafileChange change = watch.next();
                System.out.println("revision " + change.revision() + " from " + change.source());
            }
        }
    }
}
