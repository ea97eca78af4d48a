'use strict';
// The protocol of docs/driver-protocol.md for a driver in Node: lines in, lines out, and nothing of any chat system.

const MAX_LINE = 1 << 20;

// The statuses by which a server says that it decided against an operation.
const DEFINITE = new Set(['INVALID_ARGUMENT', 'UNAUTHENTICATED', 'PERMISSION_DENIED', 'NOT_FOUND', 'ALREADY_EXISTS',
  'FAILED_PRECONDITION', 'OUT_OF_RANGE', 'UNIMPLEMENTED', 'RESOURCE_EXHAUSTED', 'ABORTED']);

// Op -> the capability without which it is refused.
const NEEDS = {
  setup: null, connect: null, disconnect: null, send: null, fence: null, bye: null,
  create: 'rooms', join: 'rooms', leave: 'rooms', add: 'kick', kick: 'kick', poll: 'poll', ack: 'ack',
  history: 'history',
};

/** How a request failed, as its answer says it. */
class RequestError extends Error {
  constructor(code, reason, message, definite = DEFINITE.has(code)) {
    super(message);
    Object.assign(this, { code, reason, definite });
  }

  toJSON() {
    return { code: this.code, reason: this.reason, message: this.message, definite: this.definite };
  }
}

const bad = (message) => new RequestError('INVALID_ARGUMENT', 'BAD_REQUEST', message);

/** Writes one line. Standard output is a pipe, which Node writes at once: what was written has left. */
function write(line) {
  process.stdout.write(JSON.stringify({ ...line, t: Number(process.hrtime.bigint()) }) + '\n');
}

const event = (name, fields) => write({ event: name, ...fields });

/**
 * Says hello and answers requests until told to leave.
 * @param {string} name what the driver calls itself
 * @param {string[]} capabilities what the server can do through it
 * @param {object} player has a method for each op: (request) -> what `ok` says
 */
function run(name, capabilities, player) {
  let isSetUp = false;
  let connected = false;
  const underWay = new Set(); // what `disconnect` ends with CANCELLED

  async function answer(request) {
    const { op } = request;
    if (!(op in NEEDS)) throw bad(`no op is called ${op}`);
    if (NEEDS[op] && !capabilities.includes(NEEDS[op])) {
      throw new RequestError('UNIMPLEMENTED', 'NO_CAPABILITY', `${op}: this driver lacks ${NEEDS[op]}`);
    }
    if (op === 'bye') return {};
    if ((op === 'setup') === isSetUp) {
      throw new RequestError('FAILED_PRECONDITION', 'SET_UP', isSetUp ? 'setup: it was done' : `${op}: setup comes first`);
    }
    if (op !== 'setup' && (op === 'connect') === connected) {
      throw new RequestError('FAILED_PRECONDITION', connected ? 'CONNECTED' : 'NOT_CONNECTED', `${op}: not now`);
    }
    if (op === 'setup') isSetUp = true;
    if (op === 'disconnect') {
      connected = false;
      for (const cancel of underWay) cancel();
    }
    const cancelled = new Promise((_, reject) => {
      const cancel = () => reject(new RequestError('CANCELLED', 'DISCONNECTED', `${op}: disconnected meanwhile`));
      if (op !== 'disconnect') underWay.add(cancel);
      request.done = () => underWay.delete(cancel);
    });
    try {
      const ok = await Promise.race([player[op](request), cancelled]);
      if (op === 'connect') connected = true;
      return ok ?? {};
    } finally {
      request.done();
    }
  }

  async function handle(line) {
    let request;
    try {
      request = JSON.parse(line);
    } catch {
      request = null;
    }
    const id = Number.isInteger(request?.id) ? request.id : null;
    if (id === null || typeof request.op !== 'string') {
      write({ id, error: bad(`no request: ${line.slice(0, 80)}`) });
      return;
    }
    request.within = request.within_ms ?? 10_000;
    try {
      write({ id, ok: await answer(request) });
    } catch (fault) {
      if (!(fault instanceof RequestError)) console.error(fault);
      const known = fault instanceof RequestError;
      write({ id, error: known ? fault : new RequestError('INTERNAL', 'DRIVER_BUG', String(fault)) });
    }
    if (request.op === 'bye') process.exit(0);
  }

  let rest = Buffer.alloc(0); // of a line that has not ended
  let tooLong = false;
  function add(part) {
    rest = tooLong ? rest : Buffer.concat([rest, part]);
    if (rest.length <= MAX_LINE) return;
    write({ id: null, error: bad(`a request line is at most ${MAX_LINE} bytes`) });
    rest = Buffer.alloc(0);
    tooLong = true;
  }
  process.stdin.on('data', (data) => {
    let begin = 0;
    for (let end = data.indexOf(10); end >= 0; end = data.indexOf(10, begin)) {
      add(data.subarray(begin, end));
      begin = end + 1;
      const line = rest.toString();
      const whole = !tooLong;
      rest = Buffer.alloc(0);
      tooLong = false;
      if (whole && line.trim()) handle(line);
    }
    add(data.subarray(begin));
  });
  process.stdin.on('end', () => process.exit(0));
  process.stdout.on('error', () => process.exit(0));
  event('hello', { driver: name, protocol: 1, capabilities });
}

module.exports = { RequestError, event, run };
