'use strict';
// Plays one client of chatsys for chatsim: `node driver.js`, started by chatsim itself.

const { randomUUID } = require('node:crypto');
const { Chatsys, grpc } = require('./chatsys.js');
const { RequestError, event, run } = require('./protocol.js');

const STATUS = Object.fromEntries(Object.entries(grpc.status).map(([name, number]) => [number, name]));

/** What gRPC says of a failed call, as an answer says it. */
function refusal(fault) {
  return fault instanceof RequestError ? fault : new RequestError(STATUS[fault.code] ?? 'UNKNOWN', '', fault.details ?? String(fault));
}

const told = (message) => ({
  room: message.roomId,
  message: message.clientMessageId,
  sender: message.senderId,
  text: message.content.toString(),
  sequence: message.sequence,
});

class Player {
  after = new Map(); // room -> how far it was handed to the application, over any number of connections
  delivered = new Set();
  waiting = new Set(); // functions to call after every frame
  due = new Map(); // room -> sequence to acknowledge
  acking = false;
  acks = 0;

  setup(request) {
    this.part = request;
  }

  // --- coming and going ---

  async connect({ server, within }) {
    const { host, port } = server;
    this.client = new Chatsys(host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`, this.part.user);
    this.expected = server;
    this.online = true;
    try {
      if (this.part.role === 'harness') {
        const info = await this.client.persist('server', 'getServerInfo', {}, within);
        return { position: info.position };
      }
      return await this.first(within);
    } catch (fault) {
      await this.disconnect();
      throw refusal(fault);
    }
  }

  /** Subscribes, and answers at the first frame. */
  first(within) {
    return new Promise((resolve, reject) => {
      const late = () => reject(new RequestError('DEADLINE_EXCEEDED', '', this.fault ?? 'no first frame'));
      const timer = setTimeout(late, within);
      this.read((frame) => {
        clearTimeout(timer);
        resolve({ instance: this.instance, position: frame.position });
      }, reject);
    });
  }

  /** Keeps the stream open until `disconnect`. */
  read(ready, failed) {
    const after = [...this.after].map(([roomId, sequence]) => ({ roomId, sequence }));
    const stream = this.client.subscribe({
      consumerId: this.part.consumer, includeOwn: this.part.include_own, resumeAfter: after,
    });
    this.stream = stream;
    let open = false;
    stream.on('metadata', (metadata) => {
      const [instance] = metadata.get('chatsys-instance');
      const [runId] = metadata.get('chatsys-run');
      this.instance = instance;
      if (this.expected.run && runId !== this.expected.run) {
        stream.cancel();
        failed(new RequestError('FAILED_PRECONDITION', 'WRONG_SERVER', `the server there is of run ${runId}`));
      }
    });
    stream.on('data', (frame) => {
      if (stream !== this.stream) return;
      if (this.lost) event('connection', { state: 'restored', instance: this.instance });
      this.lost = false;
      open = true;
      this.take(frame);
      ready(frame);
      if (frame.drainIn) { // the server is about to leave: go first, and look for it again
        this.broken(stream, new RequestError('UNAVAILABLE', 'DRAINING', 'the server is about to leave'), open, ready, failed);
        stream.cancel();
      }
    });
    stream.on('error', (fault) => this.broken(stream, refusal(fault), open, ready, failed));
    stream.on('end', () => this.broken(stream, new RequestError('UNAVAILABLE', '', 'the stream ended'), open, ready, failed));
  }

  broken(stream, fault, open, ready, failed) {
    if (stream !== this.stream || !this.online) return;
    this.stream = null;
    this.fault = fault.message;
    if (open) {
      event('connection', { state: 'lost', reason: fault.reason || fault.code });
      this.lost = true;
    }
    if (fault.definite && fault.code !== 'RESOURCE_EXHAUSTED' && fault.code !== 'ABORTED') {
      failed(fault);
      return;
    }
    setTimeout(() => this.online && !this.stream && this.read(ready, failed), 100); // the pace of trying again
  }

  async disconnect() {
    this.online = false;
    await Promise.race([this.settled, new Promise((resolve) => setTimeout(resolve, 300))]);
    this.stream?.cancel();
    this.stream = null;
    this.client.close();
  }

  // --- receiving ---

  take(frame) {
    for (const delta of frame.deltas) {
      const room = delta.roomId;
      for (const message of delta.messages) {
        if (message.sequence <= (this.after.get(room) ?? 0)) continue;
        const line = told(message);
        event('deliver', { message: line });
        this.delivered.add(`${room} ${line.message} ${line.sender}`);
      }
      if (delta.throughSequence > delta.afterSequence) {
        const lost = delta.lostThroughSequence ? { lost: delta.lostThroughSequence } : {};
        event('claim', { room, after: delta.afterSequence, through: delta.throughSequence, ...lost });
      }
      if (delta.membershipEnded) event('ended', { room, through: delta.throughSequence });
      this.after.set(room, Math.max(delta.throughSequence, this.after.get(room) ?? 0));
      if (delta.messages.length || delta.membershipEnded) this.due.set(room, delta.throughSequence);
    }
    for (const look of this.waiting) look(frame);
    if (this.part.acks === 'auto' && this.due.size && !this.acking) this.settled = this.acknowledge();
  }

  /** Acknowledges what has been delivered, one call at a time, the latest word only. */
  async acknowledge() {
    this.acking = true;
    while (this.due.size && this.client) {
      const acks = Object.fromEntries(this.due);
      this.due.clear();
      const ack = ++this.acks;
      event('ack', { ack, acks });
      try {
        event('acked', { ack, ok: await this.ack({ acks, within: 5000 }) });
      } catch (fault) {
        event('acked', { ack, error: refusal(fault) });
      }
    }
    this.acking = false;
  }

  async ack({ acks, within }) {
    const list = Object.entries(acks).map(([roomId, sequence]) => ({ roomId, sequence }));
    const answer = await this.ask('chat', 'ackMessages', { consumerId: this.part.consumer, acks: list }, within);
    return { cursors: Object.fromEntries(answer.cursors.map((cursor) => [cursor.roomId, cursor.ackedSequence])) };
  }

  /** Waits until `found` has something to say about a frame, or about none. */
  seen(found, within, what) {
    return new Promise((resolve, reject) => {
      const look = (frame) => {
        const result = found(frame);
        if (!result) return;
        this.waiting.delete(look);
        clearTimeout(timer);
        resolve(result);
      };
      const timer = setTimeout(() => {
        this.waiting.delete(look);
        reject(new RequestError('DEADLINE_EXCEEDED', '', `${what} did not come within ${within} ms`));
      }, within);
      this.waiting.add(look);
      look();
    });
  }

  async fence({ markers, positions, within }) {
    if (markers) {
      const keys = Object.entries(markers).map(([room, [message, sender]]) => `${room} ${message} ${sender}`);
      await this.seen(() => keys.every((key) => this.delivered.has(key)), within, 'a marker');
      return {};
    }
    const end = Date.now() + within;
    for (;;) {
      const token = randomUUID();
      const left = Math.max(1, Math.min(1000, end - Date.now()));
      const written = this.seen((frame) => frame?.progressTokens.includes(token) && frame, left, 'the fence');
      written.catch(() => {}); // looked at below, if the call succeeds
      try {
        const request = { consumerId: this.part.consumer, minPositions: positions, token };
        await this.client.call('chat', 'requestProgress', request, left);
        const frame = await written;
        if (frame.caughtUp) return { position: frame.position, caught_up: true };
      } catch (fault) {
        const again = ['UNAVAILABLE', 'DEADLINE_EXCEEDED', 'FAILED_PRECONDITION'].includes(refusal(fault).code);
        if (!again || Date.now() + 50 > end) throw refusal(fault);
      }
      await new Promise((resolve) => setTimeout(resolve, 20)); // the pace of asking again
    }
  }

  // --- talking, and rooms ---

  async ask(service, method, request, within) {
    try {
      return await this.client.persist(service, method, request, within);
    } catch (fault) {
      throw refusal(fault);
    }
  }

  async send({ room, message, text, within }) {
    const request = { roomId: room, content: Buffer.from(text), contentType: 'text/plain', clientMessageId: message };
    const answer = await this.ask('chat', 'sendMessage', request, within);
    const sent = { sequence: answer.message.sequence, position: answer.position };
    return answer.duplicate ? { ...sent, duplicate: true } : sent;
  }

  async create({ room, members = [], admins = [], history, entry, within }) {
    const answer = await this.ask('rooms', 'createRoom', {
      room: {
        roomId: room,
        historyVisibility: `HISTORY_VISIBILITY_${(history ?? 'since_join').toUpperCase()}`,
        joinPolicy: `JOIN_POLICY_${(entry ?? 'invite').toUpperCase()}`,
      },
      memberIds: members.filter((user) => !admins.includes(user)),
      adminIds: admins,
      excludeCaller: this.part.role === 'harness',
      requestId: randomUUID(),
    }, within);
    return { position: answer.position };
  }

  async membership(method, request, within) {
    const answer = await this.ask('rooms', method, request, within);
    return { position: answer.position };
  }

  join({ room, within }) {
    return this.membership('joinRoom', { roomId: room }, within);
  }

  leave({ room, within }) {
    return this.membership('leaveRoom', { roomId: room }, within);
  }

  add({ room, user, within }) {
    return this.membership('addMember', { roomId: room, userId: user }, within);
  }

  kick({ room, user, within }) {
    return this.membership('removeMember', { roomId: room, userId: user }, within);
  }

  async history({ room, after = 0, limit = 500, positions = [], within }) {
    const request = { roomId: room, afterSequence: after, pageSize: limit, minPositions: positions };
    const answer = await this.ask('chat', 'listMessages', request, within);
    return { messages: answer.messages.map(told), more: Boolean(answer.nextPageToken) };
  }
}

const CAPABILITIES = ['stream', 'ack', 'position', 'order', 'rooms', 'kick', 'history', 'restart'];
run(`chatsys-node ${require('./package.json').version}`, CAPABILITIES, new Player());
