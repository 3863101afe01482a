import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';

const home = mkdtempSync(join(tmpdir(), 'polybeam-home-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));

const library = JSON.stringify(pathToFileURL('src/node.ts').href);
const directory = JSON.stringify('test/fixtures/models/marian');

/** Decodes a few tokens, and then stays for some seconds. */
const decode = (seconds: number) => `import(${library}).then(async ({ loadModel }) => {
  const model = await loadModel(${directory});
  await model.generate([{ inputIds: [5, 6, 7] }], { maxNewTokens: 2 });
  console.log('decoded');
  await new Promise((resolve) => setTimeout(resolve, ${seconds * 1000}));
});`;

const inThread = `const { Worker } = require('node:worker_threads');
const begin = ${JSON.stringify(`import('tsx/esm/api').then(({ register }) => { register(); return ${decode(0)} });`)};
new Worker(begin, { eval: true }).on('error', (error) => { throw error; });`;

/** What onnxruntime-node does where nobody forbids it: a session makes its environment, even of what is no model. */
const alone = (seconds: number) => `const ort = require('onnxruntime-node');
ort.InferenceSession.create(Uint8Array.of(1)).catch(() => console.log('decoded'));
setTimeout(() => {}, ${seconds * 1000});`;

/** Arguments of Node for a program. */
const program = (source: string) => ['--import', 'tsx', '-e', source];
const command = (...args: string[]) => ['--import', 'tsx', 'src/cli/main.ts', ...args];

/** An environment that forbids nothing, with a home of its own. ONNX Runtime reports nothing where CI is set. */
function environment(name: string): NodeJS.ProcessEnv {
  const { ORT_DISABLE_TELEMETRY: _, XDG_CACHE_HOME: __, CI: ___, ...rest } = process.env;
  return { ...rest, HOME: join(home, name) };
}

/** Files below a home directory after a program has run. */
function written(name: string, args: string[]): string[] {
  const { status, stderr, stdout } = spawnSync(process.execPath, args, {
    env: environment(name),
    encoding: 'utf8',
  });
  expect(status, stderr).toBe(0);
  expect(stdout).not.toBe('');
  try {
    return readdirSync(join(home, name), { recursive: true }) as string[];
  } catch {
    return [];
  }
}

describe.skipIf(process.platform !== 'linux')('telemetry of ONNX Runtime', () => {
  it('would write a device id', () => {
    expect(written('alone', program(alone(0))).join()).toContain('.onnxruntime/deviceid');
  });

  it.each<[string, string[]]>([
    ['the library', program(decode(0))],
    ['a thread that uses the library', program(inThread)],
    ['the command', command('translate', '--max-new-tokens', '2', 'A free game.')],
    ['the trial of devices', command('doctor')],
  ])('writes nothing for %s', (name, args) => {
    expect(written(name, args)).toEqual([]);
  });

  it.each([1_000, 8_000, 100_000])('leaves an argument of %i characters alone', (length) => {
    const text = 'The package contains files. '.repeat(4_000).slice(0, length);
    const args = command('translate', '--chunk', '50', '--max-new-tokens', '1', text);
    const { status, signal, stdout } = spawnSync(process.execPath, args, {
      env: environment('arguments'),
      encoding: 'utf8',
    });
    expect({ status, signal }).toEqual({ status: 0, signal: null });
    expect(stdout.trim()).not.toBe('');
  });
});

const canTrace = spawnSync('strace', ['-e', 'trace=none', 'true']).status === 0;

/** Starts a program under strace; `lookups` are the lines that look up a name: its files and sockets. */
function traced(name: string, source: string) {
  const path = join(home, `${name}.strace`);
  const strace = ['-f', '-o', path, '-e', 'trace=openat,socket,connect', process.execPath];
  const child = spawn('strace', [...strace, ...program(source)], {
    env: environment(name),
    detached: true,
  });
  let stdout = '';
  child.stdout.on('data', (data) => {
    stdout += data;
  });
  const lookups = () =>
    readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => /AF_INET|resolv\.conf|nsswitch\.conf|\/etc\/hosts/.test(line));
  return {
    lookups,
    decoded: () => stdout.includes('decoded'),
    end: () => process.kill(-child.pid!, 'SIGKILL'),
  };
}

it.skipIf(process.platform !== 'linux' || !canTrace)(
  'no name is looked up while ONNX Runtime alone looks one up',
  async () => {
    // It looks the name up some ten seconds after it was loaded.
    const [ours, theirs] = [traced('ours', decode(120)), traced('theirs', alone(120))];
    try {
      await expect.poll(ours.decoded, { timeout: 60_000 }).toBe(true);
      await expect.poll(() => theirs.lookups().length, { timeout: 60_000, interval: 500 }).toBeGreaterThan(0);
      // The other began a little earlier.
      await new Promise((resolve) => setTimeout(resolve, 5_000));
      expect(ours.lookups()).toEqual([]);
    } finally {
      ours.end();
      theirs.end();
    }
  },
  150_000,
);
