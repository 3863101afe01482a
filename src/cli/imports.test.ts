import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';

/** Source files that a command loads, as Node's own coverage names them. */
function loaded(...args: string[]): string[] {
  const directory = mkdtempSync(join(tmpdir(), 'polybeam-loaded-'));
  try {
    const { status, stderr } = spawnSync(process.execPath, ['--import', 'tsx', 'src/cli/main.ts', ...args], {
      env: { ...process.env, NODE_V8_COVERAGE: directory },
      encoding: 'utf8',
    });
    expect(status, stderr).toBe(0);
    const urls = readdirSync(directory).flatMap((file) =>
      (JSON.parse(readFileSync(join(directory, file), 'utf8')).result as { url: string }[]).map(
        ({ url }) => url,
      ),
    );
    const files = urls.flatMap((url) => /^file:.*\/((?:src|eval)\/[^?]*\.ts)/.exec(url)?.[1] ?? []);
    return [...new Set(files)].sort();
  } finally {
    rmSync(directory, { recursive: true });
  }
}

it('prints its version without loading a command', () => {
  const files = loaded('--version');
  expect(files).toContain('src/cli/program.ts');
  expect(files.filter((file) => !/^src\/(cli|node)\/|^src\/\w+\.ts$/.test(file))).toEqual([]);
  expect(files.length).toBeLessThan(16);
});

it('translates without loading evaluation, training and cross-lingual work', () => {
  const files = loaded('translate', '--max-new-tokens', '2', 'A free game.');
  expect(files).toContain('src/generation/search.ts');
  // The skip-gram trainer is handed in, and does nothing until it is called.
  const unused =
    /^(eval|src\/(alignment|reranking|xlm\/(?!vectors\/skipGram)))\/|^src\/training\/(config|train|trainer)\.ts/;
  expect(files.filter((file) => unused.test(file))).toEqual([]);
});
