import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import type { OnnxRuntime } from '../engine/runtime.js';

/*
 * The one place that reaches the package onnxruntime-node. On Linux its library writes a device id and counts of runs
 * below ~/.cache/Microsoft and looks up the name of an upload host, unless a variable of the environment forbids it
 * before the first session is made. While it does so, it reads /proc/self/cmdline, and an argument of 8,000 characters
 * overflows its stack.
 */

const require = createRequire(import.meta.url);

/** Name and value of the variable. The library takes "1" only. */
const [variable, forbidden] = ['ORT_DISABLE_TELEMETRY', '1'];

process.env[variable] = forbidden;

/**
 * Forbids the telemetry in a worker thread, where `process.env` is a copy that native code does not see.
 *
 * @param koffi calls `setenv` of the C library
 */
export function forbidTelemetry(koffi: typeof import('koffi')): void {
  if (isMainThread || process.platform === 'win32') return;
  koffi.load(null).func('int setenv(const char *, const char *, int)')(variable, forbidden, 1);
}

/** Path of the file that Node loads as onnxruntime-node. */
export function bindingPath(): string {
  return require.resolve('onnxruntime-node');
}

const load = () => require(bindingPath()) as OnnxRuntime;

/** Node's binding of ONNX Runtime: the package onnxruntime-node, loaded when something of it is read. */
export const binding: OnnxRuntime = {
  get InferenceSession() {
    return load().InferenceSession;
  },
  get Tensor() {
    return load().Tensor;
  },
  get env() {
    return load().env;
  },
};

/** Path of the ONNX Runtime library that the package onnxruntime-node brings. */
export function libraryPath(): string {
  const folder = join(
    dirname(require.resolve('onnxruntime-node/package.json')),
    'bin/napi-v6',
    process.platform,
    process.arch,
  );
  const name = readdirSync(folder).find((file) => /^libonnxruntime\.(so|dylib|[\d.]+dylib)/.test(file));
  if (name === undefined) throw new Error(`no ONNX Runtime library in ${folder}`);
  return join(folder, name);
}
