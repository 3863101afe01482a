/**
 * Kills trainings, translations and conversions at random moments and checks that nothing is lost: what was saved is whole, and what is
 * gone on with ends as if it had never been killed.
 *   npm run kill -- --times 12 [--seed 1] [--scenario train|translate|convert]
 * The moments are drawn from the seed; what a process has done by then is the machine's.
 */
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { choicesOf } from './fuzz/random.js';
import { empty, type Scenario, scenarios } from './kill/scenarios.js';
import { readFlags } from './readFlags.js';

const usage = `npm run kill -- [--times N] [--seed N] [--scenario ${scenarios.map(({ name }) => name).join('|')}]`;
const values = readFlags(usage, { times: '12', seed: '1', scenario: undefined });
const [times, seed] = [Number(values.times), Number(values.seed)];
const chosen = scenarios.filter(({ name }) => values.scenario === undefined || values.scenario === name);
if (!(times > 0 && seed >= 0 && chosen.length > 0)) {
  console.error(`usage: ${usage}`);
  process.exit(2);
}

/** A run that is left alone: what it made, and how long the work proper took. */
interface Reference {
  result: unknown;
  milliseconds: number;
}

const folder = mkdtempSync(join(tmpdir(), 'polybeam-kill-'));
const references = new Map<Scenario, Reference>();
let kills = 0;
let faults = 0;
try {
  for (let round = 0; kills < times; round++) await killOne(round);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(`seed ${seed}: ${kills} kills, ${faults} faults`);
process.exit(faults > 0 ? 1 : 0);

/** One piece of work, killed until its round's kills are used up, and then left alone. */
async function killOne(round: number): Promise<void> {
  const choices = choicesOf(seed, round);
  const scenario = chosen[round % chosen.length];
  const directory = join(folder, scenario.name);
  mkdirSync(directory, { recursive: true });
  const reference = references.get(scenario) ?? (await leaveAlone(scenario, directory));
  references.set(scenario, reference);
  empty(directory);
  const report = (fault: string | undefined, moment: string) => {
    if (fault === undefined) return;
    faults++;
    console.log(`${scenario.name}, round ${round}, ${moment}: ${fault}`);
  };
  for (let left = Math.min(times - kills, 1 + choices.number(3)); left > 0; left--) {
    const moment = choices.number(Math.ceil(reference.milliseconds * 1.1));
    const child = scenario.start(directory);
    const ended = exitOf(child);
    await Promise.race([begun(scenario, directory), ended]);
    await Promise.race([sleep(moment), ended]);
    child.kill('SIGKILL');
    if ((await ended) !== 'SIGKILL') break;
    kills++;
    report(await scenario.afterKill(directory).catch(String), `killed after ${moment} ms`);
  }
  const last = await exitOf(scenario.start(directory));
  if (last !== 0) report(`it ended with ${last}`, 'gone on with');
  else if (!isDeepStrictEqual(scenario.result(directory), reference.result))
    report('the result is another than that of a run without kills', 'gone on with');
  // Work that always ends before its moment would otherwise go on for ever.
  if (round > 20 * times) throw new Error('No process was alive when it was to be killed.');
}

async function leaveAlone(scenario: Scenario, directory: string): Promise<Reference> {
  const ended = exitOf(scenario.start(directory));
  await Promise.race([begun(scenario, directory), ended]);
  const start = performance.now();
  const code = await ended;
  if (code !== 0) throw new Error(`${scenario.name} ended with ${code} although nothing killed it`);
  const result = scenario.result(directory);
  if (Array.isArray(result) && result.every((line) => typeof line === 'string'))
    writeFileSync(join(directory, 'reference'), result.join('\n'));
  return { result, milliseconds: performance.now() - start };
}

async function begun(scenario: Scenario, directory: string): Promise<void> {
  while (!scenario.hasBegun(directory)) await sleep(5);
}

/** The exit code, or the signal that ended the process. */
function exitOf(child: ChildProcess): Promise<number | NodeJS.Signals | null> {
  return new Promise((done) => child.once('exit', (code, signal) => done(signal ?? code)));
}
