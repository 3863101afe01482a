import type { Value } from './values.js';

/** What a device holds for a value: the runtime's tensor, and how its memory is given back. */
export interface DeviceContent {
  type: Value['type'];
  shape: readonly number[];
  /** A tensor of ONNX Runtime or of tfjs; only programs look inside. */
  tensor: object;
  free(): void;
}

/**
 * A value whose data stay in the memory of a device: a place that programs of that device read, and write where it is
 * given in `into`. The host never sees its numbers. Whoever made it disposes it (`disposeValue`); nothing else frees it.
 */
export interface DeviceValue {
  readonly device: string;
  /** Absent before a program wrote it, and after it was disposed. */
  content?: DeviceContent;
}

/** A value on the host or on a device. */
export type AnyValue = Value | DeviceValue;

/** What devices hold at the moment, and what went to and from them so far. */
export interface DeviceTraffic {
  /** Values with content, on all devices. */
  values: number;
  /** Bytes that programs were fed from the host. */
  sent: number;
  /** Bytes of outputs that the host received. */
  received: number;
}

const traffic: DeviceTraffic = { values: 0, sent: 0, received: 0 };

/** A count of device values and of bytes between host and devices, since the process began; the CPU does not count. */
export function deviceTraffic(): Readonly<DeviceTraffic> {
  return { ...traffic };
}

/** Counts a run of a program whose memory is not the host's. */
export function countRun(
  feeds: Readonly<Record<string, AnyValue>>,
  outputs: Readonly<Record<string, Value>>,
): void {
  for (const value of Object.values(feeds)) if (!isOnDevice(value)) traffic.sent += value.data.byteLength;
  for (const value of Object.values(outputs)) traffic.received += value.data.byteLength;
}

/** A place on a device, still empty. */
export function emptyDeviceValue(device: string): DeviceValue {
  return { device };
}

/** Whether a value's data are on a device. */
export function isOnDevice(value: AnyValue): value is DeviceValue {
  return !('data' in value);
}

/** Puts another content into a place; the one before is freed. */
export function replaceContent(value: DeviceValue, content: DeviceContent): void {
  disposeValue(value);
  value.content = content;
  traffic.values++;
}

/** Frees what a value holds on a device; a second time, or for a value on the host, it does nothing. */
export function disposeValue(value: AnyValue): void {
  if (!isOnDevice(value) || !value.content) return;
  const { content } = value;
  value.content = undefined;
  traffic.values--;
  content.free();
}

/** `disposeValue` for each. */
export function disposeValues(values: Readonly<Record<string, AnyValue>>): void {
  for (const value of Object.values(values)) disposeValue(value);
}
