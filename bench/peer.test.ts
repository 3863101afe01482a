import { afterEach, describe, expect, it } from 'vitest';
import { type Peer, peerSide, startPeer } from './peer.js';

/** Speaks the protocol: answers with what it was asked, refuses "bad", dies of "die". */
const script = `
require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const request = JSON.parse(line);
  if (request.op === 'die') { console.error('out of memory'); process.exit(3); }
  const reply = request.op === 'bad' ? { error: 'no module named torch' } : { ms: 5, asked: request, env: process.env.SETTING };
  console.log(JSON.stringify(reply));
});`;

let peer: Peer;
afterEach(() => peer.close());

function start(): Peer {
  peer = startPeer(process.execPath, ['-e', script], { SETTING: 'AVX512' });
  return peer;
}

describe('startPeer', () => {
  it('asks one thing after another, with the environment given', async () => {
    const asked = start();
    expect(await asked.ask({ op: 'decode', batch: 1 })).toEqual({
      ms: 5,
      asked: { op: 'decode', batch: 1 },
      env: 'AVX512',
    });
    expect(await peerSide(asked, 'python', { op: 'train' }).run()).toBe(5);
  });

  it('passes on what the peer refuses, and can be asked again', async () => {
    const asked = start();
    await expect(asked.ask({ op: 'bad' })).rejects.toThrow(/no module named torch.*requirements-bench/);
    expect((await asked.ask({ op: 'decode' })).ms).toBe(5);
  });

  it('passes on the last words of a peer that dies', async () => {
    const asked = start();
    await expect(asked.ask({ op: 'die' })).rejects.toThrow(/ended with code 3: out of memory/);
    await expect(asked.ask({ op: 'decode' })).rejects.toThrow(/ended with code 3/);
  });

  it('says that there is no such program', async () => {
    peer = startPeer('/no/such/python', []);
    await expect(peer.ask({ op: 'versions' })).rejects.toMatchObject({
      code: 'OPTION_INVALID',
      message: expect.stringContaining('--peers /no/such/python does not start'),
    });
  });
});
