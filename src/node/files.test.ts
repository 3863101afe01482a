import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { nodeFiles } from './files.js';
import { writerName } from './temporaries.js';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'polybeam-files-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

const at = (name: string) => `${directory}/${name}`;
const bytes = (text: string) => new TextEncoder().encode(text);

describe('reading', () => {
  test('whole files, ranges, sizes and sorted names', async () => {
    mkdirSync(at('reading/inner'), { recursive: true });
    writeFileSync(at('reading/b'), 'hello');
    writeFileSync(at('reading/a'), '');
    expect(new TextDecoder().decode(await nodeFiles.read(at('reading/b')))).toBe('hello');
    expect(new TextDecoder().decode(await nodeFiles.readRange(at('reading/b'), 1, 4))).toBe('ell');
    expect(await nodeFiles.size(at('reading/b'))).toBe(5);
    expect(await nodeFiles.size(at('reading/none'))).toBeUndefined();
    expect(await nodeFiles.size(at('reading/inner'))).toBeUndefined();
    expect(await nodeFiles.list(at('reading'))).toEqual(['a', 'b', 'inner']);
    expect(await nodeFiles.list(at('reading/none'))).toEqual([]);
    expect(await nodeFiles.list(at('reading/b'))).toEqual([]);
  });

  test('a missing file is named', async () => {
    for (const reading of [nodeFiles.read(at('none')), nodeFiles.readRange(at('none'), 0, 1)]) {
      await expect(reading).rejects.toMatchObject({
        code: 'FILE_NOT_FOUND',
        message: expect.stringMatching(/none does not exist/),
      });
    }
    await expect(nodeFiles.read(directory)).rejects.toMatchObject({ code: 'FILE_NOT_FOUND' });
  });

  test('a range past the end is told with its numbers', async () => {
    writeFileSync(at('short'), 'hello');
    await expect(nodeFiles.readRange(at('short'), 2, 9)).rejects.toMatchObject({
      code: 'FILE_CORRUPT',
      message: expect.stringMatching(/short ends at byte 5, before byte 9/),
    });
  });
});

describe('writeAtomic', () => {
  test('writes chunks of both kinds, makes directories, replaces, and leaves nothing else', async () => {
    await nodeFiles.writeAtomic(at('atomic/deep/file'), [bytes('one '), bytes('two')]);
    expect(readFileSync(at('atomic/deep/file'), 'utf8')).toBe('one two');
    await nodeFiles.writeAtomic(
      at('atomic/deep/file'),
      (async function* () {
        yield bytes('three');
        expect(readFileSync(at('atomic/deep/file'), 'utf8')).toBe('one two');
        yield new Uint8Array(0);
        yield bytes(' four');
      })(),
    );
    expect(readFileSync(at('atomic/deep/file'), 'utf8')).toBe('three four');
    expect(readdirSync(at('atomic/deep'))).toEqual(['file']);
  });

  test('chunks that fail leave the old file and no temporary one', async () => {
    writeFileSync(at('old'), 'old');
    const failing = (async function* () {
      yield bytes('new');
      throw new Error('the source is gone');
    })();
    await expect(nodeFiles.writeAtomic(at('old'), failing)).rejects.toMatchObject({
      code: 'FILE_WRITE',
      message: expect.stringMatching(
        /old could not be written \(the source is gone\); what was there before is untouched/,
      ),
    });
    expect(readFileSync(at('old'), 'utf8')).toBe('old');
    expect(readdirSync(directory).filter((name) => name.includes('.tmp'))).toEqual([]);
  });

  test('two writers at once: the file is one of theirs, whole', async () => {
    const text = (letter: string) => letter.repeat(300_000);
    await Promise.all(
      ['a', 'b', 'c'].map((letter) => nodeFiles.writeAtomic(at('race'), [bytes(text(letter))])),
    );
    expect(['a', 'b', 'c'].map(text)).toContain(readFileSync(at('race'), 'utf8'));
  });

  test('a directory in the way is refused', async () => {
    mkdirSync(at('taken/inner'), { recursive: true });
    await expect(nodeFiles.writeAtomic(at('taken'), [bytes('x')])).rejects.toMatchObject({
      code: 'FILE_WRITE',
    });
    writeFileSync(at('plain'), 'x');
    await expect(nodeFiles.writeAtomic(at('plain/file'), [bytes('x')])).rejects.toMatchObject({
      code: 'FILE_WRITE',
    });
    expect(existsSync(at('taken/inner'))).toBe(true);
  });
});

/** A file system of 256 KB, or why there is none: only root may mount one. */
function mountSmall(path: string): string | undefined {
  try {
    mkdirSync(path);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', path], { stdio: 'pipe' });
    return undefined;
  } catch (error) {
    return (error as Error).message.split('\n')[0];
  }
}

describe('a full disk', () => {
  let small: string | undefined;
  afterEach(() => {
    if (small) execFileSync('umount', [small]);
    small = undefined;
  });

  test('keeps the old file, and says to free space', async (context) => {
    const path = at('small');
    const reason = mountSmall(path);
    context.skip(reason !== undefined, `no file system can be mounted here (${reason})`);
    small = path;
    await nodeFiles.writeAtomic(`${path}/weights`, [bytes('old')]);
    const chunks = Array.from({ length: 8 }, () => new Uint8Array(100_000));
    await expect(nodeFiles.writeAtomic(`${path}/weights`, chunks)).rejects.toMatchObject({
      code: 'FILE_WRITE',
      message:
        /weights could not be written \(ENOSPC.*what was there before is untouched: free some disk space/,
    });
    expect(readFileSync(`${path}/weights`, 'utf8')).toBe('old');
    expect(readdirSync(path)).toEqual(['weights']);
    await nodeFiles.writeAtomic(`${path}/weights`, [bytes('new')]);
    expect(readFileSync(`${path}/weights`, 'utf8')).toBe('new');
    const flood = 'x'.repeat(400_000);
    await expect(nodeFiles.append(`${path}/log`, flood)).rejects.toMatchObject({
      code: 'FILE_WRITE',
      message: expect.stringMatching(/log could not be written .* perhaps with a part of the new text/),
    });
  });
});

describe('temporary files of killed processes', () => {
  const host = writerName();

  test('are removed; those of processes that live, and of other machines for a day, are not', async () => {
    mkdirSync(at('left'));
    const kept = [
      `w.safetensors.${host}-${process.ppid}-0.tmp`,
      'w.safetensors.elsewhere-4194999-0.tmp',
      // Not of this library.
      'notes.tmp',
      'notes-4194999-0.tmp',
    ];
    const old = 'w.safetensors.elsewhere-4194998-0.tmp';
    // No process has numbers this large.
    const gone = [`w.safetensors.${host}-4194999-0.tmp`, `v.${host}-4194998-12.tmp`, old];
    for (const name of [...kept, ...gone]) writeFileSync(at(`left/${name}`), 'part');
    utimesSync(at(`left/${old}`), new Date(), new Date(Date.now() - 25 * 60 * 60 * 1000));
    await nodeFiles.removeLeftovers!(at('left'));
    expect(readdirSync(at('left')).sort()).toEqual(kept.sort());
    await nodeFiles.removeLeftovers!(at('no such directory'));
  });

  test('are removed with the next file that is written there', async () => {
    const path = at('killed/weights');
    const code = `
      import { nodeFiles } from ${JSON.stringify(new URL('files.ts', import.meta.url).href)};
      const endless = async function* () { for (;;) yield new Uint8Array(1000); };
      await nodeFiles.writeAtomic(${JSON.stringify(path)}, endless());`;
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code]);
    const names = () => (existsSync(at('killed')) ? readdirSync(at('killed')) : []);
    try {
      await expect.poll(names, { timeout: 50_000 }).toHaveLength(1);
    } finally {
      child.kill('SIGKILL');
    }
    await once(child, 'exit');
    expect(names()).toEqual([`weights.${host}-${child.pid}-0.tmp`]);
    await nodeFiles.writeAtomic(path, [bytes('whole')]);
    expect(names()).toEqual(['weights']);
  });
});

test('append makes the file and its directory; remove takes trees and missing files', async () => {
  await nodeFiles.append(at('logs/run.jsonl'), '1\n');
  await nodeFiles.append(at('logs/run.jsonl'), '2\n');
  expect(readFileSync(at('logs/run.jsonl'), 'utf8')).toBe('1\n2\n');
  await nodeFiles.remove(at('logs'));
  await nodeFiles.remove(at('logs'));
  expect(existsSync(at('logs'))).toBe(false);
});
