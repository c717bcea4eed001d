// Numbers and states in words.

const number = (value, digits) => new Intl.NumberFormat("en", { maximumFractionDigits: digits }).format(value);

/** 1234567 -> "1.2 MB". Decimal units, as file managers and line speeds have them. */
export function bytes(count) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  let value = count;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${number(value, value < 99.95 && unit > 0 ? 1 : 0)}\u00a0${units[unit]}`;
}

/** 80 -> "1 min 20 s". */
export function duration(seconds) {
  if (seconds < 9.95) return `${number(seconds, 1)}\u00a0s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole}\u00a0s`;
  const pair = (big, bigUnit, small, smallUnit) => (small ? `${big}\u00a0${bigUnit} ${small}\u00a0${smallUnit}` : `${big}\u00a0${bigUnit}`);
  if (whole < 3600) return pair(Math.floor(whole / 60), "min", whole % 60, "s");
  return pair(Math.floor(whole / 3600), "h", Math.floor((whole % 3600) / 60), "min");
}

/** Time to go, in whole seconds, so that it doesn't flicker. */
export function toGo(seconds) {
  return `${duration(Math.max(1, Math.ceil(seconds)))} to go`;
}

/** "today, 14:03", "yesterday, 9:00", "3 May, 17:30". */
export function when(date, now = new Date()) {
  const day = (offset) => new Date(now.getFullYear(), now.getMonth(), now.getDate() + offset).toDateString();
  const time = new Intl.DateTimeFormat("en", { hour: "numeric", minute: "2-digit", hourCycle: "h23" }).format(date);
  if (date.toDateString() === day(0)) return `today, ${time}`;
  if (date.toDateString() === day(-1)) return `yesterday, ${time}`;
  return `${new Intl.DateTimeFormat("en", { day: "numeric", month: "long" }).format(date)}, ${time}`;
}

/** Items of a line, each kept whole when the line breaks. */
export const line = (...items) => items.filter(Boolean).map((item) => item.replaceAll(" ", "\u00a0")).join(" · ");

export const percent = (fraction) => `${Math.floor(fraction * 100)}\u00a0%`;

export const count = (n, one, many = `${one}s`) => `${number(n, 0)} ${n === 1 ? one : many}`;

/** What an upload is doing, as a sentence. */
export function status(state) {
  const { status, progress, label, stopping } = state;
  if (stopping) return `Cancelling, telling ${label}`;
  const { done, total, inFlight } = progress.parts;
  const parts = total > 1 ? `${number(done, 0)} of ${count(total, "part")}` : "";
  switch (status) {
    case "queued": return "Waiting for its turn";
    case "checking": return "Checking the file";
    case "opening": return `Opening the upload at ${label}`;
    case "sending": return parts ? `Sending, ${parts} arrived, ${number(inFlight, 0)} in flight` : "Sending in one piece";
    case "completing": return `All bytes are there, finishing at ${label}`;
    case "processing": return progress.processing === null ? `${label} is processing it` : `${label} is processing it, ${percent(progress.processing)}`;
    case "paused": return parts ? `Paused, ${parts} arrived` : "Paused";
    case "waiting": return navigator.onLine ? `Waiting, goes on by itself when ${label} is ready` : "Offline, goes on by itself when the network is back";
    case "done": return state.result.alreadyThere ? `${label} had this file already, nothing was sent` : `Arrived at ${label} in ${duration(state.result.elapsedMs / 1000)}`;
    case "failed": return "Failed";
    case "cancelled": return "Cancelled";
    default: return status;
  }
}
