#!/usr/bin/env node
import { existsSync, readdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

// The package brings dist/. A clone of the repository makes it when the command runs first, and after a change.
if (existsSync(`${root}src`) && isOld(`${root}dist/cli/main.js`)) {
  const { build } = await import('../tools/build.js');
  await build();
}
await import('../dist/cli/main.js');

/** Whether a file is missing, or a source is newer. */
function isOld(made) {
  if (!existsSync(made)) return true;
  const time = statSync(made).mtimeMs;
  const isNewer = (path) => statSync(root + path).mtimeMs > time;
  return (
    ['package-lock.json', 'tools/build.js'].some(isNewer) ||
    ['src', 'eval'].some((folder) =>
      readdirSync(root + folder, { recursive: true }).some(
        (name) => name.endsWith('.ts') && !name.endsWith('.test.ts') && isNewer(`${folder}/${name}`),
      ),
    )
  );
}
