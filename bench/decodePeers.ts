import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BenchOptions, peersScript } from './bench.js';
import { type Peer, type PeerReply, peerSide, startPeer } from './peer.js';
import type { Side } from './rounds.js';
import type { Report } from './rows.js';

/** One batch as peers are asked for it. */
export interface DecodeRequest {
  name: string;
  batch: number;
  beams: number;
  steps: number;
  sources: number[][];
  /** CTranslate2's numbers; transformers has float32 only. */
  computeType: 'float32' | 'int8';
}

/** A peer's side of a case. */
export interface DecodePeer {
  side: Side;
  /** Decodes once more. @returns the best sequence of each sentence */
  outputs(): Promise<number[][]>;
}

/** CTranslate2 set up as well as it can be here: found by trying. */
export interface Translator {
  directory: string;
  env: NodeJS.ProcessEnv;
  /** Translators to share a batch, by case; each has threads / workers threads. */
  workers: ReadonlyMap<string, number>;
}

/** Runs a peer for the length of a call. */
async function withPeer<T>(
  python: string,
  threads: number,
  env: NodeJS.ProcessEnv,
  use: (peer: Peer) => Promise<T>,
): Promise<T> {
  const peer = startPeer(python, [peersScript, String(threads)], env);
  try {
    return await use(peer);
  } finally {
    await peer.close();
  }
}

/** Converts a model directory to CTranslate2's format. @returns where it is */
export async function convertModel(python: string, directory: string, threads: number): Promise<string> {
  const output = join(directory, 'ctranslate2');
  await withPeer(python, threads, {}, (peer) => peer.ask({ op: 'convert', model: directory, output }));
  return output;
}

/**
 * The settings that CTranslate2 reads when it is loaded: MKL or oneDNN, of which it takes MKL on Intel's processors
 * alone, and AVX512, which it leaves alone unless it is told.
 */
function translatorEnvironments(): NodeJS.ProcessEnv[] {
  const processor = processorDescription();
  const otherLibrary = { CT2_USE_MKL: processor.includes('GenuineIntel') ? '0' : '1' };
  const environments: NodeJS.ProcessEnv[] = [{}, otherLibrary];
  if (!/ avx512f /.test(processor)) return environments;
  return environments.flatMap((env) => [env, { ...env, CT2_FORCE_CPU_ISA: 'AVX512' }]);
}

function processorDescription(): string {
  try {
    return readFileSync('/proc/cpuinfo', 'utf8');
  } catch {
    return '';
  }
}

/** Tries every setting on every case, and keeps the best environment over all and the best workers of each. */
export async function chooseTranslator(
  python: string,
  directory: string,
  options: Pick<BenchOptions, 'threads'>,
  cases: readonly DecodeRequest[],
  report: Report,
): Promise<Translator> {
  const translator = await convertModel(python, directory, options.threads);
  const modes = options.threads > 1 ? [1, options.threads] : [1];
  const trials = [];
  for (const env of translatorEnvironments()) {
    const tried = await withPeer(python, options.threads, env, async (peer) => {
      await peer.ask({ op: 'open', translator, workers: modes, computeTypes: computeTypes(cases) });
      const best = [];
      for (const one of cases) best.push(await bestWorkers(peer, one, modes));
      return best;
    });
    // Cases weigh alike: the product of times, not the sum.
    trials.push({ env, tried, cost: tried.reduce((sum, { ms }) => sum + Math.log(ms), 0) });
  }
  const { env, tried } = trials.reduce((best, trial) => (trial.cost < best.cost ? trial : best));
  const workers = new Map(cases.map(({ name }, index) => [name, tried[index].workers]));
  report.note(
    `ctranslate2 at its best of ${trials.length * modes.length} settings: ${describe(env, workers)}`,
  );
  return { directory: translator, env, workers };
}

function describe(env: NodeJS.ProcessEnv, workers: ReadonlyMap<string, number>): string {
  const settings = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const shared = [...workers]
    .filter(([, count]) => count > 1)
    .map(([name, count]) => `${count} workers for ${name}`);
  return [...settings, ...shared].join(', ') || 'its defaults';
}

const tries = 2;

async function bestWorkers(peer: Peer, one: DecodeRequest, modes: readonly number[]) {
  const usable = modes.filter((workers) => workers <= one.batch);
  let best = { workers: 1, ms: Number.POSITIVE_INFINITY };
  for (const workers of usable) {
    const request = { ...one, op: 'decode', peer: 'ctranslate2', workers };
    await peer.ask(request);
    for (let i = 0; i < tries; i++) {
      const ms = (await peer.ask(request)).ms as number;
      if (ms < best.ms) best = { workers, ms };
    }
  }
  return best;
}

function computeTypes(cases: readonly DecodeRequest[]): string[] {
  return [...new Set(cases.map(({ computeType }) => computeType))];
}

/** Loads both peers' models. @returns their sides of a case */
export async function openDecodePeers(
  peer: Peer,
  directory: string,
  translator: Translator,
  cases: readonly DecodeRequest[],
): Promise<(one: DecodeRequest) => DecodePeer[]> {
  const workers = [...new Set(translator.workers.values())];
  await peer.ask({
    op: 'open',
    model: directory,
    translator: translator.directory,
    workers,
    computeTypes: computeTypes(cases),
  });
  return (one) =>
    (one.computeType === 'float32' ? ['transformers', 'ctranslate2'] : ['ctranslate2']).map((name) => {
      const request = { ...one, op: 'decode', peer: name, workers: translator.workers.get(one.name) };
      return {
        side: peerSide(peer, `${name} ${one.computeType}`, request),
        outputs: async () => ((await peer.ask(request)) as PeerReply & { outputs: number[][] }).outputs,
      };
    });
}

/** What the peers are, for the line about the machine. */
export async function peerVersions(peer: Peer): Promise<string> {
  const { versions } = (await peer.ask({ op: 'versions' })) as { versions: Record<string, string> };
  return Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ');
}
