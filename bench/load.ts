import { execFile } from 'node:child_process';
import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  type BenchOptions,
  noteDisturbance,
  peersScript,
  roundOptions,
  selectCases,
  withTemporaryDirectory,
} from './bench.js';
import { type DecodeDesign, decodeDesign, randomSources } from './decode.js';
import { convertModel, peerVersions } from './decodePeers.js';
import type { ResidentMemory } from './memory.js';
import { type Peer, peerSide, startPeer } from './peer.js';
import { modelFile, transformerWeights, writeRandomModel } from './randomModel.js';
import { measureRounds, type Side } from './rounds.js';
import { memoryRow, type Report, timedRow } from './rows.js';

/** What a process is to load, as JSON in its only argument. */
export interface LoadRequest {
  /** The model directory. */
  directory: string;
  /** The first is decoded for the first token, then all of them as one batch. [16][tokens] */
  sources: number[][];
  /** New tokens of the batch. */
  steps: number;
  threads: number;
}

/** What a process that loaded a model says: time until the first token, and memory along the way. */
export interface LoadReply {
  ms: number;
  before: ResidentMemory;
  /** After the first token of a batch of 1. */
  loaded: ResidentMemory;
  /** After a batch of 16 with beam 4. */
  decoded: ResidentMemory;
  /** Bytes. */
  peak: number;
}

const loadCases = [{ name: 'float32 until the first token' }];

/** Loading a model of 60 M parameters, cold but for the page cache: each round is a process of its own. */
export async function benchLoad(
  options: BenchOptions,
  report: Report,
  design: DecodeDesign = decodeDesign,
): Promise<void> {
  const [{ name }] = selectCases(loadCases, options.case);
  await withTemporaryDirectory(async (directory) => {
    await writeRandomModel(directory, design.config, transformerWeights(design.config));
    const request: LoadRequest = {
      directory,
      sources: randomSources(design, 16),
      steps: design.steps,
      threads: options.threads,
    };
    const replies: LoadReply[] = [];
    const own: Side = {
      name: 'polybeam',
      cpuMs: () => 0,
      run: async () => {
        replies.push(await loadInChild(request));
        return replies.at(-1)!.ms;
      },
    };
    let peer: Peer | undefined;
    try {
      const peers = [];
      if (options.peers) {
        const translator = await convertModel(options.peers, directory, options.threads);
        peer = startPeer(options.peers, [peersScript, String(options.threads)]);
        report.note(await peerVersions(peer));
        peers.push(...peerSides(peer, design, directory, translator));
      }
      // A process of its own is never warm; the peers' has its imports to do.
      for (const side of peers) await side.run();
      const { times, disturbance } = await measureRounds([own, ...peers], roundOptions(options, 0));
      noteDisturbance(report, name, disturbance);
      const row = { bench: 'load', case: name, times: times[0] };
      if (peers.length === 0) report.row(timedRow(row));
      peers.forEach((side, index) => {
        report.row(timedRow({ ...row, peer: { name: side.name, times: times[index + 1] } }));
      });
    } finally {
      await peer?.close();
    }
    reportMemory(report, replies.at(-1)!, statSync(modelFile(directory)).size);
  });
}

const runChild = promisify(execFile);

async function loadInChild(request: LoadRequest): Promise<LoadReply> {
  const script = fileURLToPath(new URL('loadChild.ts', import.meta.url));
  const args = ['--import', 'tsx', script, JSON.stringify(request)];
  const { stdout } = await runChild(process.execPath, args);
  return JSON.parse(stdout) as LoadReply;
}

function peerSides(peer: Peer, design: DecodeDesign, model: string, translator: string): Side[] {
  const request = { op: 'load', model, translator, beams: 4, sources: randomSources(design, 1) };
  return ['transformers', 'ctranslate2'].map((name) =>
    peerSide(peer, `${name} float32`, { ...request, peer: name }),
  );
}

function reportMemory(report: Report, { before, loaded, decoded, peak }: LoadReply, fileSize: number): void {
  const rows: [string, number | undefined][] = [
    ['model file', fileSize],
    ['resident before', before.total],
    ['resident before, without pages of files', before.anonymous],
    ['resident after the first token', loaded.total],
    ['resident after the first token, without pages of files', loaded.anonymous],
    ['resident after batch 16 beam 4', decoded.total],
    ['resident after batch 16 beam 4, without pages of files', decoded.anonymous],
    ['peak memory', peak],
  ];
  for (const [name, bytes] of rows) if (bytes !== undefined) report.row(memoryRow('load', name, bytes));
}
