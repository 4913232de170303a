// State that outlives a panel, and questions that are asked again when what they depend on changes.

import { useCallback, useEffect, useRef, useState } from "./vendor/htm-preact/standalone.module.js";
import { Problem } from "./api.js";

// A value kept for this tab, shared by every component that names the same key.
const kept = new Map();
const watchers = new Map();

export function useKept(name, initial) {
  if (!kept.has(name)) kept.set(name, JSON.parse(sessionStorage.getItem(`penchant.${name}`) ?? "null") ?? initial);
  const [, redraw] = useState(0);
  useEffect(() => {
    const watcher = () => redraw((n) => n + 1);
    watchers.set(name, (watchers.get(name) ?? new Set()).add(watcher));
    return () => watchers.get(name).delete(watcher);
  }, [name]);
  return [kept.get(name), useCallback((value) => keep(name, value), [name])];
}

export function keep(name, value) {
  const next = typeof value === "function" ? value(kept.get(name)) : value;
  kept.set(name, next);
  sessionStorage.setItem(`penchant.${name}`, JSON.stringify(next));
  watchers.get(name)?.forEach((watcher) => watcher());
}

// Ask when `inputs` change, a moment after the last change; an answer that was overtaken is dropped.
// Gives {data, problem, busy, ask}: `data` stays while the next answer is on its way.
export function useAnswer(ask, inputs, { waitMs = 0, when = true } = {}) {
  const [state, setState] = useState({ data: null, problem: null, busy: when });
  const [turn, setTurn] = useState(0);
  const latest = useRef(ask);
  latest.current = ask;
  useEffect(() => {
    if (!when) return setState({ data: null, problem: null, busy: false });
    const abort = new AbortController();
    setState((was) => ({ ...was, busy: true }));
    const timer = setTimeout(async () => {
      try {
        const data = await latest.current(abort.signal);
        if (!abort.signal.aborted) setState({ data, problem: null, busy: false });
      } catch (failure) {
        if (abort.signal.aborted) return;
        if (!(failure instanceof Problem)) console.error(failure);
        setState((was) => ({ data: was.data, problem: asProblem(failure), busy: false }));
      }
    }, waitMs);
    return () => (clearTimeout(timer), abort.abort());
  }, [JSON.stringify(inputs), turn, when]);
  return { ...state, ask: useCallback(() => setTurn((n) => n + 1), []) };
}

// Do something once, on a click: {run, busy, problem, done}.
export function useAction(action) {
  const [state, setState] = useState({ busy: false, problem: null, done: null });
  const run = async (...told) => {
    setState({ busy: true, problem: null, done: null });
    try {
      const done = await action(...told);
      setState({ busy: false, problem: null, done: done ?? true });
      return done;
    } catch (failure) {
      setState({ busy: false, problem: asProblem(failure), done: null });
    }
  };
  return { ...state, run, clear: () => setState({ busy: false, problem: null, done: null }) };
}

export function useEvery(periodMs, action) {
  const latest = useRef(action);
  latest.current = action;
  useEffect(() => {
    const tick = () => document.hidden || latest.current();
    tick();
    const timer = setInterval(tick, periodMs);
    return () => clearInterval(timer);
  }, [periodMs]);
}

export function useMedia(condition) {
  const [holds, setHolds] = useState(() => matchMedia(condition).matches);
  useEffect(() => {
    const list = matchMedia(condition);
    const changed = () => setHolds(list.matches);
    list.addEventListener("change", changed);
    return () => list.removeEventListener("change", changed);
  }, [condition]);
  return holds;
}

const asProblem = (failure) =>
  failure instanceof Problem
    ? failure
    : new Problem({ title: "The console stumbled", detail: String(failure.message ?? failure), status: 0 });
