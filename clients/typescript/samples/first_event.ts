/** The first event: `node first_event.js [ADDRESS]`, a sidecar listening there. */
import { connect, DEFAULT_ADDRESS } from "@decision-sidecar/client";

await using client = connect(process.argv[2] ?? DEFAULT_ADDRESS);
const user = client.user("user-1", { attributes: { country: "DE" } });
await user.identify({ traits: { plan: "pro" } });
const accepted = await user.track("purchase", {
  revenue: { amount: "19.90", currency: "USD" },
  properties: { order_id: "7" },
});
for (const outcome of accepted.outcomes) {
  console.log(`${outcome.destination}: ${outcome.state} ${outcome.reason}`.trimEnd());
}
