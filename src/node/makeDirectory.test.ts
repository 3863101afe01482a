import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { nodeFiles } from './files.js';
import { makeDirectory } from './makeDirectory.js';

const root = mkdtempSync(join(tmpdir(), 'polybeam-directory-'));
afterAll(() => rmSync(root, { recursive: true }));

describe('makeDirectory', () => {
  test('makes what is missing, also at the same time, and leaves what is there', async () => {
    const path = join(root, 'a/b/c');
    await Promise.all([makeDirectory(path), makeDirectory(path), makeDirectory(join(root, 'a/b/d'))]);
    await makeDirectory(path);
    await makeDirectory('.');
    expect(existsSync(path) && existsSync(join(root, 'a/b/d'))).toBe(true);
  });

  test('goes through links', async () => {
    symlinkSync(join(root, 'a'), join(root, 'link'));
    await makeDirectory(join(root, 'link/new'));
    expect(existsSync(join(root, 'a/new'))).toBe(true);
  });

  test('refuses a file in its way', async () => {
    writeFileSync(join(root, 'file'), '');
    await expect(makeDirectory(join(root, 'file'))).rejects.toMatchObject({ code: 'EEXIST' });
    await expect(makeDirectory(join(root, 'file/below'))).rejects.toMatchObject({ code: 'ENOTDIR' });
  });

  test.skipIf(!existsSync('/proc/self'))('ends where the system takes no directories', async () => {
    await expect(makeDirectory('/proc/x/y')).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(nodeFiles.writeAtomic('/proc/x/y/z', [])).rejects.toMatchObject({ code: 'FILE_WRITE' });
  });
});
