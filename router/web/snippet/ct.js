/*! call-router */
// Shows each visitor the phone numbers reserved for the visit. Edits text, tel: and sms: links only;
// on any failure the page keeps its own numbers. Served without comments and white space (web/minify.py).
(function () {
  'use strict';
  const script = document.currentScript || document.querySelector('script[data-site][src*="/ct"]');
  if (!script || window.callRouter) return;

  const options = script.dataset, site = options.site, key = 'call-router:' + site;
  const folder = /\/ct\/\w+\.js/.test(script.src) ? '../v1/' : 'v1/';
  const base = options.api ? options.api.replace(/\/*$/, '/v1/') : new URL(folder, script.src).href;
  const debug = 'debug' in options || /[?&]ct_debug=1/.test(location.search);
  const log = (...what) => debug && console.info('[call-router]', ...what);

  // What may stand between digits; \0 is the border of two text nodes.
  const GAP = '\\s\\0()./\\-\\u00AD\\u200B-\\u200F\\u2010-\\u2015\\u2060\\u2212';
  const RUN = new RegExp('\\d[+\\d' + GAP + ']{5,}\\d', 'g'), FORM = new RegExp('^[+\\d' + GAP + ']{7,32}$');
  const E164 = /^\+(?=\d{7,15}$)(1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|[1-9]\d\d)(\d+)$/;
  const TEMPLATE = /###phone(?:-(\w+))?###/g;
  const INLINE = /^(a|abbr|b|bd[io]|cite|code|em|font|i|ins|label|mark|nobr|s|small|span|strong|su[bp]|time|tspan|tt|u|wbr)$/i;
  const SKIP = 'head,script,style,noscript,textarea,option,[contenteditable]:not([contenteditable=false]),[data-ct-ignore]';

  // A page has one number or several, each in a slot with a session of its own; slot 0 is the main one.
  const own = new Map(), memory = {};
  let answer = {}, numbers = [], session, campaign, period, timer, left, started, settle, visited, group = [], others = [];
  let turn = 0, forgotten = 0, edits = 0, batches = 0, second = 0, touched = Date.now(), page = location.href, agreed = options.consent || 'granted';
  const shown = () => numbers[0] || null;
  const ready = new Promise((resolve) => { settle = () => { if (!shown() && options.number) apply(); resolve(shown()); }; });
  const emit = (name, detail) => document.dispatchEvent(new CustomEvent('call-router:' + name, { detail }));

  function load(area) {
    if (agreed !== 'granted') return {};
    try { return JSON.parse(window[area][key]) || {}; } catch (e) { return memory[area] || {}; }
  }
  function save(area, value) {
    memory[area] = value;
    try {
      if (agreed === 'granted') window[area][key] = JSON.stringify(value);
      else window[area].removeItem(key);
    } catch (e) { log(e); }
  }

  /* ---- numbers ---- */

  function parse(number, { how, replace } = {}) {
    const parts = E164.exec(number && number.e164);
    if (!parts) return null;
    const [e164, code, rest] = parts;
    const form = (text, end) => FORM.test(text) && text.replace(/\D/g, '').endsWith(end) ? text : e164;
    const national = form(number.national, rest), digits = national.match(/\d+/g);
    return Object.freeze({
      e164, code, rest, national, international: form(number.international, code + rest),
      dashes: digits.join('-'), dots: digits.join('.'), how, replace,
    });
  }

  // The digits before `rest` that belong to it; undefined: part of something longer.
  function prefix(text, at, digits, k, { code, rest }) {
    const end = k + rest.length, tail = text.slice(at[end - 1] + 1, at[end]), more = end < at.length;
    if (/^([\w@]|,\d)/.test(text.slice(at[end - 1] + 1)) || (more && !/[\s\0+]/.test(tail))) return;
    return ['00' + code, code + '0', code, '06', '8', '0', ''].find((p) => {
      const first = k - p.length;
      if (!digits.slice(0, k).endsWith(p)) return;
      const lead = text.slice(first ? at[first - 1] + 1 : 0, at[first]);
      if (/\+[\s\0(]*$/.test(lead)) return p === code || p === code + '0';
      if (/[\w#№=@&]\(?$/.test(lead)) return;
      // Without a prefix it may be the end of a foreign number: no digits may be near.
      return p ? !first || /[\s\0]/.test(lead) : !first && (!more || /\s/.test(tail));
    });
  }

  function find(text, numbers, found) {
    let run, hits = 0;
    RUN.lastIndex = 0;
    while ((run = RUN.exec(text))) {
      const at = [];
      for (let i = run.index; i < RUN.lastIndex; i++) if (/\d/.test(text[i])) at.push(i);
      const digits = at.map((i) => text[i]).join('');
      for (const number of numbers) {
        for (let k = -1; (k = digits.indexOf(number.rest, k + 1)) >= 0;) {
          const p = prefix(text, at, digits, k, number);
          log(run[0], p === undefined ? 'refused: part of something longer' : `is ${number.e164}, prefix "${p}"`);
          if (p !== undefined && ++hits && found) found(number, p, at.slice(k - p.length, k + number.rest.length));
        }
      }
    }
    return hits;
  }

  // The new text, an item for each old character; undefined where nothing matched.
  function rewrite(text, link) {
    let cells;
    const put = (start, stop, filled) => { cells.fill('', start, stop); cells[start] = filled; };
    text.replace(TEMPLATE, (all, form, at) => {
      const filled = shown() ? shown()[form || (link ? 'e164' : 'national')] : options.number;
      if (!filled) return;
      cells = cells || text.split('');
      put(at, at + all.length, filled);
    });
    find(text, others, ({ code, rest, slot }, p, at) => {
      let start = at[0];
      const number = numbers[slot], stop = at[at.length - 1] + 1, same = code === number.code, abroad = p.includes(code);
      const area = (form) => (/\((\d+)\)/.exec(form) || ['', ''])[1].length;
      const areas = [area(text.slice(Math.max(0, start - 1), stop)), area(number.national)];
      const digits = p.replace(code, number.code) + number.rest;
      cells = cells || text.split('');
      // A longer area code would leave the page's brackets in the wrong place.
      if (digits.length === at.length && rest.length === number.rest.length && (same || abroad) && (areas.includes(0) || areas[0] === areas[1])) {
        at.forEach((i, n) => { cells[i] = digits[n]; });
      } else {
        const [lead, plus] = /(\+\s?)?\(?$/.exec(text.slice(0, start));
        if (plus || /^[^(]*\)/.test(text.slice(start, stop))) start -= lead.length;
        put(start, stop, link ? number.e164 : same && !abroad ? number.national : number.international);
      }
    });
    return cells;
  }

  /* ---- the page ---- */

  function flush() {
    const nodes = group, cells = nodes[0] && rewrite(nodes.map((node) => node.data).join('\0'));
    let i = 0;
    group = [];
    for (const node of cells ? nodes : []) {
      const text = cells.slice(i, i += node.length).join('');
      i++;
      if (text !== node.data) { node.data = text; edits++; }
    }
  }

  function decode(href) {
    try { return decodeURIComponent(href); } catch (e) { return href; }
  }
  function relink(el) {
    // of sms:+7…?body=… the number alone
    const [, href, rest] = /^(\s*(?:tel|sms):[^?]*)(.*)$/is.exec(el.getAttribute('href')) || [];
    if (!href) return;
    const plain = decode(href), text = (rewrite(plain, true) || [plain]).join('');
    if (text === plain) return;
    el.setAttribute('href', (plain === href ? text : encodeURI(text)) + rest);
    edits++;
  }

  // `shallow`: the block's own line of text, without the blocks inside it.
  function walk(el, shallow) {
    visited.add(el);
    if (el.shadowRoot && !shallow && !visited.has(el.shadowRoot)) {
      const around = group;
      group = [];
      walk(el.shadowRoot);
      flush();
      group = around;
      observe(el.shadowRoot);
    }
    for (let node = el.firstChild; node; node = node.nextSibling) {
      if (node.nodeType === 3) group.push(node);
      if (node.nodeType !== 1) continue;
      const skip = node.matches(SKIP), inline = !skip && INLINE.test(node.nodeName);
      if (!inline) flush();
      if (!skip) relink(node);
      if (inline || !(skip || shallow)) walk(node);
      if (!inline) flush();
    }
  }
  // What is not in the document now is looked at when it comes back.
  function skipped(node) {
    if (!node.isConnected) return true;
    if (node.nodeType > 9) node = node.host;
    for (; node; node = node.getRootNode().host) if (node.closest(SKIP)) return true;
  }
  function scan(node, shallow) {
    while (shallow && INLINE.test(node.nodeName)) node = node.parentNode || {};
    if (visited.has(node) || skipped(node)) return;
    if (node.nodeType === 1) relink(node);
    walk(node, shallow);
    flush();
  }

  const observer = new MutationObserver((records) => {
    // A script that keeps putting the old number back must not hang the page.
    if (Date.now() - second > 1000) { second = Date.now(); batches = 0; }
    if (batches >= 100) return;
    edits = 0;
    visited = new Set();
    for (const { type, target, addedNodes } of records) {
      if (type === 'attributes') { if (!skipped(target)) relink(target); }
      else if (type === 'characterData') scan(target.parentNode || {}, true);
      else for (const node of addedNodes) {
        if (node.nodeType === 3 || INLINE.test(node.nodeName)) scan(target, true);
        else if (node.nodeType === 1) scan(node);
      }
    }
    if (edits) batches++;
    observer.takeRecords();
  });

  const observe = (root) => observer.observe(root, { subtree: true, childList: true, characterData: true, attributes: true, attributeFilter: ['href'] });
  function apply() {
    visited = new Set();
    scan(document.body || {});
    observer.takeRecords();
    observe(document);
  }

  const slots = () => [answer, ...(answer.others || [])];
  function show() {
    const before = numbers, changed = [];
    numbers = slots().map((slot, i) => {
      const number = parse(slot.number, slot), was = before[i] || {};
      for (const e164 of number ? [].concat(slot.replace, was.e164, i ? [] : options.shown) : []) {
        const other = parse({ e164 });
        if (other) own.set(e164, { ...other, slot: i });
      }
      if (number && number.e164 !== was.e164) changed.push(number);
      return number;
    });
    for (const number of numbers) own.delete(number && number.e164);
    others = [...own.values()].filter((other) => numbers[other.slot]);
    apply();
    for (const number of changed) {
      if (![].concat(number.replace).includes(number.e164)) emit('swapped', number);
      if (number.how === 'default') emit('overflow', number);
    }
  }

  /* ---- the server ---- */

  const held = () => slots().slice(1).map(({ session, token }, i) => ({ session, token, number: numbers[i + 1] && numbers[i + 1].e164 }));
  const pack = (body) => JSON.stringify({ site, session, token: answer.token, others: answer.others && held(), ...body });
  const send = (path, body, keepalive) => fetch(base + path, { method: 'POST', credentials: 'include', body, keepalive });
  async function post(path, body) {
    const response = await send(path, pack(body));
    if (response.ok) return response.json();
    throw response.status;
  }
  function beacon(path, body) {
    if (session && !(navigator.sendBeacon && navigator.sendBeacon(base + path, pack(body)))) send(path, pack(body), true).catch(log);
  }

  const uuid = (id) => /^[\da-f-]{36}$/i.test(id) ? id : null;
  const tags = () => (location.href.match(/[?&#](utm_\w+|\w*(cl|click|bra|fat_)id)=[^&#]*/gi) || []).join('');
  const landing = (host = document.referrer.split('/')[2]) => tags() || (host !== location.host && host) || '';

  function adopt(value) {
    if (!parse(value.number) || !uuid(value.session)) throw 'malformed';
    answer = value;
    session = agreed === 'granted' ? value.session : null;
    period = Math.min(600, Math.max(5, value.heartbeat_seconds || 30)) * 1000;
  }

  // What analytics know the visitor by, of those that the page uses.
  function clientIds() {
    const cookie = (pattern) => (pattern.exec(document.cookie) || [])[1];
    return { ga: cookie(/\b_ga=GA\d\.\d+\.([\d.]+)/), ga_session: cookie(/\b_ga_\w+=GS\d\.\d+\.s?(\d+)/), ym: cookie(/\b_ym_uid=(\d+)/) };
  }

  async function visit(referrer = document.referrer) {
    const mine = ++turn, began = Date.now(), waiting = setTimeout(settle, 1500), ids = load('localStorage');
    const granted = agreed === 'granted';
    campaign = tags();
    // named before the router is asked: of two tabs that open at once the second finds it
    if (granted && !uuid(ids.visitor)) {
      ids.visitor = uuid(options.visitor) || (crypto.randomUUID && crypto.randomUUID());
      save('localStorage', ids);
    }
    try {
      const value = await post('visits', {
        url: location.href.slice(0, 8000), referrer: referrer.slice(0, 2000), consent: granted ? agreed : 'denied', debug: debug || undefined,
        visitor: uuid(ids.visitor), session: uuid(ids.session), client_ids: granted ? clientIds() : {},
      });
      if (mine !== turn) return shown();
      adopt(value);
      log('why', value.why);
      save('localStorage', { visitor: value.visitor, session, token: value.token });
      answer.landing = landing() || load('sessionStorage').landing;
      save('sessionStorage', answer);
      if (Date.now() - began > 1500) throw 'late: kept for the next page';
      show();
    } catch (e) {
      log('no number', e);
      if (mine === turn) emit('failed', String(e));
    }
    clearTimeout(waiting);
    settle();
    schedule(3000);
    return shown();
  }

  function schedule(wait) {
    clearTimeout(timer);
    if (session && document.visibilityState === 'visible') timer = setTimeout(beat, wait);
  }
  async function beat() {
    const asked = session, quiet = Date.now() - touched;
    schedule(period);
    try {
      const value = await post('heartbeats', { visible: true, input: quiet <= 30000, input_seconds: Math.max(0, Math.round(quiet / 1000)), number: shown() && shown().e164 });
      if (asked !== session) return;
      const told = [value, ...(value.others || [])];
      if (told.includes(null)) throw 404;
      forgotten = 0;
      slots().forEach((slot, i) => {
        const { number, how, valid_until, token } = told[i] || {};
        if (parse(number)) Object.assign(slot, { number, how });
        if (valid_until !== undefined) slot.valid_until = valid_until;
        if (token) slot.token = token;
      });
      save('sessionStorage', answer);
      if (shown()) show();
    } catch (e) {
      log('heartbeat', e);
      if (e === 404 && asked === session) { session = null; schedule(); if (!forgotten++) visit(); }
    }
  }

  /* ---- the visitor ---- */

  function resume() { left = false; touched = Date.now(); schedule(0); }
  function navigated() {
    const from = page;
    page = location.href;
    if (tags() && tags() !== campaign) visit(from);
  }
  function start() {
    if (started) return;
    started = true;
    const on = (target, names, handler) => names.split(' ').forEach((name) => target.addEventListener(name, handler, { capture: true, passive: true }));
    on(document, 'pointerdown pointermove keydown scroll wheel touchstart', () => { touched = Date.now(); });
    on(document, 'visibilitychange', () => {
      if (document.visibilityState === 'visible') return resume();
      clearTimeout(timer);
      if (!left) beacon('leaves', { kind: 'hide' });
    });
    on(window, 'pagehide', () => { left = true; clearTimeout(timer); beacon('leaves', { kind: 'close' }); });
    on(window, 'pageshow', (event) => { if (event.persisted) { resume(); if (!session) visit(); } });
    const tap = (text, kind) => numbers.forEach((number, i) => {
      if (number && find(text, [number])) beacon('taps', { session: i ? slots()[i].session : session, token: slots()[i].token, number: number.e164, kind });
    });
    on(document, 'click', (event) => {
      const link = event.composedPath().find((el) => el.matches && el.matches('[href^="tel:" i]'));
      if (link) tap(decode(link.getAttribute('href')), 'tap');
    });
    on(document, 'copy', () => tap(String(getSelection()), 'copy'));
    on(window, 'popstate', navigated);
    // another tab began a session: it is this tab's as well
    on(window, 'storage', (event) => {
      const ids = load('localStorage');
      if (event.key === key && session && uuid(ids.session)) { session = ids.session; answer.token = ids.token; }
    });
    const attach = Element.prototype.attachShadow;
    Element.prototype.attachShadow = function () {
      const root = attach.apply(this, arguments);
      if (shown()) observe(root);
      return root;
    };
    for (const name of ['pushState', 'replaceState']) {
      const native = history[name];
      history[name] = function () { native.apply(this, arguments); navigated(); };
    }

    const cached = load('sessionStorage'), here = landing();
    try {
      if ((!here || here === cached.landing) && !(Date.parse(cached.valid_until) <= Date.now())) { adopt(cached); show(); settle(); }
    } catch (e) { log('nothing cached'); }
    visit();
  }
  const begin = () => document.prerendering ? document.addEventListener('prerenderingchange', start) : start();
  function consent(given = 'granted') {
    const before = agreed;
    agreed = given;
    if (!started) return begin();
    if (given === before) return;
    if (given !== 'granted') {
      beacon('leaves', { kind: 'close' });
      session = null;
      answer = {};
      save('localStorage');
      save('sessionStorage');
    }
    visit();
  }

  window.callRouter = {
    ready, consent,
    get number() { return shown(); },
    get numbers() { return numbers.slice(); },
    get session() { return session; },
    refresh() { if (shown()) apply(); return started ? visit() : ready; },
  };
  if (agreed !== 'wait') begin();
})();
