import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { arch, cpus, platform, totalmem } from 'node:os';

const require = createRequire(import.meta.url);

/** What the times were taken on, in one line. */
export function describeMachine(threads: number): string {
  const cores = cpus();
  const gibibytes = Math.round(totalmem() / 2 ** 30);
  return [
    cores[0]?.model.trim() ?? 'unknown processor',
    `${threads} of ${cores.length} threads`,
    `${gibibytes} GiB`,
    `${platform()} ${arch()}`,
    `node ${process.versions.node}`,
    `onnxruntime-node ${versionOf('onnxruntime-node')}`,
    `polybeam ${readVersion(new URL('../package.json', import.meta.url))}`,
  ].join(', ');
}

function versionOf(name: string): string {
  return require(`${name}/package.json`).version;
}

function readVersion(path: URL): string {
  return JSON.parse(readFileSync(path, 'utf8')).version;
}
