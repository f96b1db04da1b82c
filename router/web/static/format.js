// Values → what people read, in the reader's own zone and language.

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const seconds = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
const day = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' });

export const timeOfDay = (iso) => clock.format(new Date(iso));
export const timeToSeconds = (iso) => seconds.format(new Date(iso));
export const exactTime = (iso) => exact.format(new Date(iso));

export function dayName(iso, now) {
  const start = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
  const days = Math.round((start(now) - start(new Date(iso))) / 86400000);
  return days === 0 ? 'Today' : days === 1 ? 'Yesterday' : day.format(new Date(iso));
}

// 75000 ms → "1:15"
export function stopwatch(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (n) => String(n).padStart(2, '0');
  const hours = Math.floor(seconds / 3600), minutes = Math.floor(seconds / 60) % 60;
  return hours ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

// 75000 ms → "1 min 15 s"
export function duration(ms) {
  if (ms < 1000) return `${Math.round(ms / 100) / 10} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min` + (seconds % 60 ? ` ${seconds % 60} s` : '');
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h` + (seconds % 3600 >= 60 ? ` ${Math.floor(seconds / 60) % 60} min` : '');
  const days = Math.round(seconds / 86400);
  return `${days} day${days === 1 ? '' : 's'}`;
}

// 99.6 % is not "100 %": certainty is not rounded up.
export function percent(p) {
  const whole = p * 100;
  if (p >= 1) return '100 %';
  if (whole > 99) return `${Math.floor(whole * 10) / 10} %`;
  return whole < 1 && whole > 0 ? 'under 1 %' : `${Math.round(whole)} %`;
}

export function bytes(n) {
  return n < 1e6 ? `${Math.max(1, Math.round(n / 1000))} kB` : `${(n / 1e6).toFixed(1)} MB`;
}

const OUTCOMES = {
  answered: 'answered', busy: 'busy', no_answer: 'no answer', cancelled: 'caller gave up',
  failed: 'failed', refused: 'refused', lost: 'end unknown',
};
export const outcome = (call) => OUTCOMES[call.outcome] || 'ended';

const ROUTES = {
  router: 'chosen by the router',
  failsafe_number: 'router silent: the number\u2019s fail-safe line',
  failsafe_trunk: 'router silent: the trunk\u2019s fail-safe line',
  failsafe_default: 'router silent: the default line',
};
export const route = (source) => ROUTES[source] || '';

export const callerName = (call) => (call.caller ? call.caller.readable : 'Hidden number');

// What the call is credited to, in one line; null where nothing is known.
export function credit(attribution) {
  if (!attribution || attribution.level === 'none') return null;
  const parts = [attribution.source, attribution.medium].filter(Boolean).join(' / ');
  const campaign = attribution.level === 'source' ? '' : attribution.campaign;
  return { source: parts || attribution.channel_name || 'direct', campaign: campaign || '' };
}

// "https://shop.example/boilers?utm_…" → "/boilers"
export function landing(url) {
  try { return url ? decodeURI(new URL(url).pathname) : ''; } catch (e) { return ''; }
}

const REACH = { session: 'this visit', campaign: 'this campaign', source: 'this source' };

// How sure, of what: "83 % · very likely this visit".
export function surely(attribution) {
  if (!credit(attribution)) return attribution ? 'unknown' : 'not yet known';
  if (attribution.confidence >= 1) return 'sure of the source';
  return `${percent(attribution.confidence)} \u00b7 ${attribution.words} ${REACH[attribution.level]}`;
}

// The class that colours a confidence.
export function surety(attribution) {
  if (!attribution || attribution.level === 'none' || attribution.confidence < 0.5) return 'unknown';
  if (attribution.confidence >= 0.95) return 'certain';
  return attribution.confidence >= 0.8 ? 'likely' : 'maybe';
}

// One honest sentence about an attribution.
export function sentence(attribution) {
  if (!attribution) return 'Not looked at yet.';
  const { method, level, words, confidence } = attribution;
  if (method === 'static') return 'This number is shown for one source only, so the source is sure. Which visit it was is not looked for.';
  if (method === 'unknown_number') return 'The dialled number is not one of ours.';
  if (method === 'without_session') return 'Nobody was shown this number in the last 30 days.';
  if (level === 'none') return 'Too many could have called: nobody stands out.';
  const sure = `${words[0].toUpperCase()}${words.slice(1)} (${percent(confidence)})`;
  if (level === 'session') return `${sure}: this very visit called.`;
  if (level === 'campaign') return `${sure}: the call came from this campaign. Which visit it was is less sure.`;
  return `${sure}: the call came from this source. Which campaign or visit it was is less sure.`;
}
