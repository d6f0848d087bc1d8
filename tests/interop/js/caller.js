// Makes the calls that standard input lists, through @grpc/grpc-js, and prints one JSON line for each. It knows no
// message type: requests and replies are bytes, in hex. The plan's form: tests/interop/callers.py.
import { readFileSync } from 'node:fs';

import { Client, Metadata, credentials } from '@grpc/grpc-js';

const GZIP = 2; // of compressionAlgorithms, which the package does not export as a value
const asIs = (bytes) => bytes;
const fromHex = (text) => Buffer.from(text, 'hex');

const plan = JSON.parse(readFileSync(0, 'utf8'));
const clients = [client({}), client({ 'grpc.default_compression_algorithm': GZIP })];
for (const call of plan.calls) {
  process.stdout.write(`${JSON.stringify(await perform(clients[call.gzip ? 1 : 0], call))}\n`);
}
clients.forEach((one) => one.close());

function client(options) {
  if (plan.network === 'tls') {
    const named = { ...options, 'grpc.ssl_target_name_override': plan.server_name };
    return new Client(plan.address, credentials.createSsl(readFileSync(plan.ca)), named);
  }
  const target = plan.network === 'unix' ? `unix:${plan.address}` : plan.address;
  return new Client(target, credentials.createInsecure(), options);
}

function perform(client, call) {
  const metadata = new Metadata();
  for (const [key, value] of call.metadata) metadata.add(key, key.endsWith('-bin') ? fromHex(value) : value);
  const replies = [];
  let initial = '';
  return new Promise((resolve) => {
    const stream = started(client, call, metadata, replies);
    stream.on('metadata', (received) => {
      initial = received.get('x-grpc-test-echo-initial').join(',');
    });
    stream.on('status', (status) => {
      const hexOf = (key) => Buffer.concat(status.metadata.get(key)).toString('hex');
      resolve({
        name: call.name,
        code: status.code,
        message: status.details === 'OK' ? '' : status.details,
        details: hexOf('grpc-status-details-bin'),
        initial,
        trailing: hexOf('x-grpc-test-echo-trailing-bin'),
        replies,
      });
    });
  });
}

/** The call under way; on a bidirectional stream each request waits for the reply to the one before. */
function started(client, call, metadata, replies) {
  const options = { deadline: Date.now() + call.timeout_ms };
  const requests = call.requests.map(fromHex);
  if (call.kind === 'unary') {
    return client.makeUnaryRequest(call.method, asIs, asIs, requests[0], metadata, options, (_, reply) => {
      if (reply) replies.push(reply.toString('hex'));
    });
  }
  const stream =
    call.kind === 'bidi'
      ? client.makeBidiStreamRequest(call.method, asIs, asIs, metadata, options)
      : client.makeServerStreamRequest(call.method, asIs, asIs, requests[0], metadata, options);
  const next = () => {
    if (call.kind !== 'bidi') return;
    if (replies.length < requests.length) stream.write(requests[replies.length]);
    else if (replies.length === requests.length) stream.end();
  };
  stream.on('data', (reply) => {
    replies.push(reply.toString('hex'));
    if (replies.length === call.cancel_after) stream.cancel();
    else next();
  });
  stream.on('error', () => {}); // The status event says it, with its metadata.
  next();
  return stream;
}
