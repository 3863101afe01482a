import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { errorCatalogue } from '../src/errors.js';

/*
 * Every error code has a page in docs/reference/errors, whose examples are run here as they stand; what they print is
 * compared with the page. After a change of messages: `npx vitest run test/errorPages.test.ts -u`.
 */
const root = resolve(import.meta.dirname, '..');
const directory = join(root, 'docs/reference/errors');
const run = promisify(execFile);
const pathOf = (specifier: string) => JSON.stringify(join(root, specifier));

/** A folder to run examples in: it looks like the repository, and `polybeam` is the command. */
async function workplace(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'polybeam-error-'));
  for (const name of ['models', 'test', 'node_modules', 'package.json']) {
    await symlink(join(root, name), join(folder, name));
  }
  await mkdir(join(folder, 'bin'));
  const command = `#!/bin/sh\nexec node --import ${pathOf('node_modules/tsx/dist/loader.mjs')} ${pathOf('src/cli/main.ts')} "$@"\n`;
  await writeFile(join(folder, 'bin/polybeam'), command);
  await chmod(join(folder, 'bin/polybeam'), 0o755);
  return folder;
}

/** What a command prints, on both streams. */
async function shell(folder: string, command: string): Promise<string> {
  const env = { ...process.env, PATH: `${folder}/bin:${process.env.PATH}`, NODE_NO_WARNINGS: '1' };
  const { stdout, stderr } = await run('sh', ['-c', command], { cwd: folder, env }).catch((error) => error);
  return `${stdout}${stderr}`;
}

/** The error that a program of the page ends with. */
async function program(folder: string, code: string): Promise<string> {
  const text = code
    .replaceAll("'polybeam'", pathOf('src/node.ts'))
    .replaceAll("'polybeam/browser'", pathOf('src/index.ts'));
  await writeFile(join(folder, 'page.ts'), text);
  const outcome = `import('./page.ts').catch((e) => process.stdout.write(e.code + ': ' + e.message + '\\n')).finally(() => process.exit())`;
  await writeFile(join(folder, 'main.ts'), outcome);
  return shell(folder, `node --import ${pathOf('node_modules/tsx/dist/loader.mjs')} main.ts`);
}

/** The page with what its examples really print. */
async function performed(page: string, folder: string): Promise<string> {
  let code = '';
  let shown = '';
  for (const block of page.split(/(```\w+\n[\s\S]*?```\n)/)) {
    const [, language, content] = /^```(\w+)\n([\s\S]*)```\n$/.exec(block) ?? [];
    if (language === 'ts') code = content;
    if (language === 'text') shown += `\`\`\`text\n${await program(folder, code)}\`\`\`\n`;
    else if (language === 'console') {
      shown += '```console\n';
      for (const line of content.split('\n').filter((one) => one.startsWith('$ '))) {
        shown += `${line}\n${await shell(folder, line.slice(2))}`;
      }
      shown += '```\n';
    } else shown += block;
  }
  return shown;
}

describe('error pages', () => {
  it('has one for each code, and no other', async () => {
    const pages = (await readdir(directory)).map((name) => name.replace(/\.md$/, ''));
    expect(pages.sort()).toEqual(Object.keys(errorCatalogue).sort());
  });

  it.each(Object.entries(errorCatalogue))('shows how %s comes about', async (code, meaning) => {
    const path = join(directory, `${code}.md`);
    const page = await readFile(path, 'utf8');
    expect(page.startsWith(`# ${code}\n\n${meaning}\n`)).toBe(true);
    const folder = await workplace();
    try {
      const shown = await performed(page, folder);
      expect(shown).toMatch(new RegExp(`\\[${code}\\]\\n|\\n${code}: `));
      await expect(shown.replaceAll(folder, '.').replaceAll(`${process.cwd()}/`, '')).toMatchFileSnapshot(
        path,
      );
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
