import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
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
  /** Target tokens that may come: what CTranslate2 has a vocabulary map for. */
  shortlist?: readonly number[];
}

/** A peer's side of a case. */
export interface DecodePeer {
  side: Side;
  /** Decodes once more. @returns the best sequence of each sentence */
  outputs(): Promise<number[][]>;
}

/** CTranslate2 set up as well as it can be for one case: found by trying. */
export interface Translator {
  directory: string;
  env: NodeJS.ProcessEnv;
  /** Translators that share a batch; each has threads / workers threads. */
  workers: number;
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
 * Writes the map that CTranslate2 restricts its vocabulary by, when it is asked to: every target token of the request for
 * the first token of each source, so that any of its batches has them all.
 */
async function writeVocabularyMap(
  converted: string,
  { sources, shortlist = [] }: DecodeRequest,
): Promise<void> {
  const targets = shortlist.map((id) => `t${id}`).join(' ');
  const lines = [...new Set(sources.map(([first]) => first))].map((first) => `t${first}\t${targets}\n`);
  await writeFile(join(converted, 'vmap.txt'), lines.join(''));
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

/**
 * Tries every setting on a case, each in a process of its own: translators that were loaded beside one another take the
 * cores from each other.
 * @param directory of the converted model
 */
export async function chooseTranslator(
  python: string,
  directory: string,
  options: Pick<BenchOptions, 'threads'>,
  one: DecodeRequest,
  report: Report,
): Promise<Translator> {
  if (one.shortlist) await writeVocabularyMap(directory, one);
  const modes = options.threads > 1 && one.batch > 1 ? [1, options.threads] : [1];
  let best = { ms: Number.POSITIVE_INFINITY, env: {} as NodeJS.ProcessEnv, workers: 1 };
  let tried = 0;
  for (const env of translatorEnvironments()) {
    for (const workers of modes) {
      const ms = await withPeer(python, options.threads, env, async (peer) => {
        await peer.ask({
          op: 'open',
          translator: directory,
          workers: [workers],
          computeTypes: [one.computeType],
        });
        return timeOf(peer, { ...one, op: 'decode', peer: 'ctranslate2', workers });
      });
      tried++;
      if (ms < best.ms) best = { ms, env, workers };
    }
  }
  const { env, workers } = best;
  report.note(`${one.name}: ctranslate2 at its best of ${tried} settings: ${describe(env, workers)}`);
  return { directory, env, workers };
}

function describe(env: NodeJS.ProcessEnv, workers: number): string {
  const settings = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  if (workers > 1) settings.push(`${workers} workers`);
  return settings.join(', ') || 'its defaults';
}

const tries = 3;

/** The best of a few tries, after one that warms up. */
async function timeOf(peer: Peer, request: Parameters<Peer['ask']>[0]): Promise<number> {
  await peer.ask(request);
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < tries; i++) best = Math.min(best, (await peer.ask(request)).ms as number);
  return best;
}

/** Loads what a case compares with. @returns its sides */
export async function openDecodePeers(
  peer: Peer,
  directory: string,
  translator: Translator,
  one: DecodeRequest,
): Promise<DecodePeer[]> {
  const { workers } = translator;
  const names = one.computeType === 'float32' ? ['transformers', 'ctranslate2'] : ['ctranslate2'];
  const asked = names.map((name) => ({ name, request: { ...one, op: 'decode', peer: name, workers } }));
  const sides = asked.flatMap(({ name, request }) =>
    one.shortlist
      ? [
          { name: `${name} ${one.computeType}`, request },
          { name: `${name} ${one.computeType} vmap`, request: { ...request, vocabularyMap: true } },
        ]
      : [{ name: `${name} ${one.computeType}`, request }],
  );
  await peer.ask({
    op: 'open',
    ...(names.includes('transformers') && { model: directory }),
    translator: translator.directory,
    workers: [workers],
    computeTypes: [one.computeType],
  });
  return sides.map(({ name, request }) => ({
    side: peerSide(peer, name, request),
    outputs: async () => ((await peer.ask(request)) as PeerReply & { outputs: number[][] }).outputs,
  }));
}

/** What the peers are, for the line about the machine. */
export async function peerVersions(peer: Peer): Promise<string> {
  const { versions } = (await peer.ask({ op: 'versions' })) as { versions: Record<string, string> };
  return Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ');
}

/** The same, from a process that is started for it. */
export async function versionsOf(python: string, threads: number): Promise<string> {
  return withPeer(python, threads, {}, peerVersions);
}
