'use strict';
// A small client of chatsys for Node: the services of proto/, loaded as they are, with promises.

const path = require('node:path');
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');

const PROTO = process.env.CHATSYS_PROTO ?? path.join(__dirname, '..', '..', 'proto');
const files = ['chat', 'room', 'user', 'server'].map((name) => `chatsys/v1/${name}.proto`);
const { v1 } = grpc.loadPackageDefinition(
  loader.loadSync(files, { includeDirs: [PROTO], longs: Number, enums: String, defaults: true }),
).chatsys;

/** Whether a call was refused only because it came too soon after others of its user. */
function tooQuick(fault) {
  const [details] = fault.metadata?.get('grpc-status-details-bin') ?? [];
  return fault.code === grpc.status.RESOURCE_EXHAUSTED && Boolean(details?.includes('RATE_LIMITED'));
}

/** One user's connection. Every call takes (request, within in ms) and answers a promise. */
class Chatsys {
  /**
   * @param {string} target HOST:PORT
   * @param {string} user user id; where the server runs without tokens, naming it is enough
   */
  constructor(target, user) {
    this.metadata = new grpc.Metadata();
    if (user) this.metadata.set('chatsys-user', user);
    const options = { 'grpc.initial_reconnect_backoff_ms': 50, 'grpc.max_reconnect_backoff_ms': 1000 };
    const open = (Service) => new Service(target, grpc.credentials.createInsecure(), options);
    this.chat = open(v1.ChatService);
    this.rooms = open(v1.RoomService);
    this.users = open(v1.UserService);
    this.server = open(v1.ServerService);
  }

  /** Makes a unary call: call('chat', 'sendMessage', {...}, 1000). */
  call(service, method, request, within) {
    return new Promise((resolve, reject) => {
      const deadline = new Date(Date.now() + within);
      this[service][method](request, this.metadata, { deadline }, (fault, answer) => (fault ? reject(fault) : resolve(answer)));
    });
  }

  /** The same until it is answered: for calls that may be made twice, while the server cannot be reached, or says wait. */
  async persist(service, method, request, within) {
    const end = Date.now() + within;
    for (;;) {
      try {
        return await this.call(service, method, request, Math.max(1, Math.min(1000, end - Date.now())));
      } catch (fault) {
        const again = [grpc.status.UNAVAILABLE, grpc.status.DEADLINE_EXCEEDED].includes(fault.code) || tooQuick(fault);
        if (!again || Date.now() + 100 > end) throw fault;
        await new Promise((resolve) => setTimeout(resolve, 50)); // the pace of trying again
      }
    }
  }

  /** Opens the stream of what is new; a grpc-js stream of SubscribeResponse. */
  subscribe(request) {
    return this.chat.subscribe(request, this.metadata);
  }

  close() {
    for (const client of [this.chat, this.rooms, this.users, this.server]) client.close();
  }
}

module.exports = { Chatsys, grpc };
