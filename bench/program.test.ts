import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PolybeamError } from '../src/errors.js';
import { type BenchOptions, selectCases } from './bench.js';
import { type Bench, runProgram } from './program.js';
import { timedRow } from './rows.js';

/** Runs a command line with a bench that takes no time. */
async function run(args: string[], bench?: Bench) {
  let given: BenchOptions | undefined;
  const text = { stdout: '', stderr: '' };
  const stream = (name: keyof typeof text) => ({
    write: (written: string) => {
      text[name] += written;
    },
  });
  const fake: Bench = async (options, report) => {
    given = options;
    report.note('a note');
    report.row(timedRow({ bench: 'decode', case: 'one', times: [1, 2, 3] }));
  };
  const entries = {
    decode: { description: 'Times decoding.', load: async () => bench ?? fake, profiles: true },
    load: { description: 'Times loading.', load: async () => bench ?? fake, profiles: false },
  };
  const code = await runProgram(args, { stdout: stream('stdout'), stderr: stream('stderr') }, entries);
  return { code, given, ...text };
}

describe('bench', () => {
  it('records a run in a page', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'polybeam-record-'));
    const page = join(directory, 'benchmarks.md');
    for (let i = 0; i < 2; i++) {
      const { code } = await run(['decode', '--rounds', '3', '--peers', '/my/python', '--record', page]);
      expect(code).toBe(0);
    }
    const text = await readFile(page, 'utf8');
    expect(text.match(/^## decode$/gm)).toHaveLength(1);
    expect(text).toContain(`decode --peers PYTHON --rounds 3 --record ${page}`);
    expect(text).toContain('- a note');
    await rm(directory, { recursive: true });
  });

  it('reads its flags', async () => {
    const { code, given } = await run(
      'decode --peers venv/python --threads 3 --rounds 7 --case batch'.split(' '),
    );
    expect(code).toBe(0);
    expect(given).toEqual({ peers: 'venv/python', threads: 3, rounds: 7, case: 'batch' });
  });

  it('prints a JSON line per row and all else on stderr', async () => {
    const { stdout, stderr } = await run(['decode', '--json']);
    expect(stdout).toBe('{"bench":"decode","case":"one","ms":2}\n');
    expect(stderr).toMatch(/node \d+.*onnxruntime-node \d+.*polybeam \d+.*\na note\n$/);
  });

  it('prints the machine and a table without --json', async () => {
    const { stdout } = await run(['decode']);
    expect(stdout).toMatch(/threads.*\nbench +case +ms +min-max\ndecode +one +2 +1-3\n$/);
  });

  it.each([
    [['decode', '--rounds', '0'], 'whole number'],
    [['decode', '--threads', 'two'], 'whole number'],
    [['decode', '--round', '3'], '--rounds'],
    [['decode', '--peers'], 'argument missing'],
    [['load', '--operators'], 'unknown option'],
    [['decode', '--operators', '--peers', 'python'], 'leave one out'],
    [['decod'], 'unknown command'],
    [['decode', 'more'], 'too many arguments'],
    [[], 'Usage'],
  ])('ends %j with code 2', async (args, message) => {
    const { code, stderr } = await run(args);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });

  it('ends with code 2 for an option that a bench refuses, and with 1 for a failure', async () => {
    const refusing: Bench = async () => {
      throw new PolybeamError('OPTION_INVALID', 'no such case.');
    };
    const failing: Bench = async () => {
      throw new Error('disk full');
    };
    expect(await run(['decode'], refusing)).toMatchObject({ code: 2, stderr: 'bench: no such case.\n' });
    expect(await run(['decode'], failing)).toMatchObject({ code: 1, stderr: 'bench: disk full\n' });
  });

  it('shows help with examples', async () => {
    const { code, stdout } = await run(['--help']);
    expect(code).toBe(0);
    expect(stdout).toContain('Examples:\n  $ npm run --silent bench -- decode');
  });
});

describe('selectCases', () => {
  const cases = [{ name: 'batch 1' }, { name: 'batch 64', onRequest: true }];

  it('leaves out what runs on request alone', () => {
    expect(selectCases(cases, undefined)).toEqual([cases[0]]);
    expect(selectCases(cases, '64')).toEqual([cases[1]]);
  });

  it('refuses a text that matches none', () => {
    expect(() => selectCases(cases, 'int9')).toThrow('--case "int9" matches none; the cases are "batch 1"');
  });
});
