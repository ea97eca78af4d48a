'use strict';
// Two people meet on chatsys: node hello.js HOST:PORT. Ann opens a room, Ben joins it, Ann speaks, Ben hears it.

const { randomUUID } = require('node:crypto');
const { Chatsys } = require('./chatsys.js');

const WITHIN = 5000;

async function register(target, name) {
  const nobody = new Chatsys(target, null);
  const { user } = await nobody.call('users', 'registerUser', { displayName: name }, WITHIN);
  nobody.close();
  return new Chatsys(target, user.userId);
}

/** Answers the next message, and acknowledges it. */
function next(person) {
  const stream = person.subscribe({});
  return new Promise((resolve, reject) => {
    stream.on('error', reject);
    stream.on('data', async ({ deltas }) => {
      const delta = deltas.find((one) => one.messages.length);
      if (!delta) return;
      const acks = [{ roomId: delta.roomId, sequence: delta.throughSequence }];
      await person.call('chat', 'ackMessages', { acks }, WITHIN);
      stream.removeListener('error', reject).on('error', () => {}); // cancelling is an error too
      stream.cancel();
      resolve(delta.messages[0]);
    });
  });
}

async function main(target) {
  const [ann, ben] = [await register(target, 'Ann'), await register(target, 'Ben')];
  const room = { roomId: `hello-${randomUUID().slice(0, 8)}`, joinPolicy: 'JOIN_POLICY_OPEN' };
  await ann.call('rooms', 'createRoom', { room, requestId: randomUUID() }, WITHIN);
  await ben.call('rooms', 'joinRoom', { roomId: room.roomId }, WITHIN);
  const heard = next(ben);
  const content = Buffer.from('Hello from Node');
  const { message } = await ann.call('chat', 'sendMessage', { roomId: room.roomId, content, clientMessageId: randomUUID() }, WITHIN);
  const got = await heard;
  console.log(JSON.stringify({ sent: message.sequence, received: got.sequence, text: got.content.toString() }));
  ann.close();
  ben.close();
}

main(process.argv[2]).catch((fault) => {
  console.error(String(fault));
  process.exit(1);
});
