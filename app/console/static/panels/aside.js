// What is open beside the slate: a column where there is room, and otherwise a sheet over it that Escape closes.

import { html, useEffect, useRef } from "../vendor/htm-preact/standalone.module.js";

export function Aside({ over, title, under, isSheet, onClose, children }) {
  const heading = useRef(null);
  useEffect(() => {
    if (!isSheet) return;
    heading.current.focus();
    const onKey = (event) => event.key === "Escape" && onClose();
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, [isSheet]);
  return html`<aside class="why ${isSheet ? "is-sheet" : ""}" aria-labelledby="why-title" tabindex="0">
    ${isSheet && html`<button class="close" onClick=${onClose}>Close</button>`}
    <p class="faint">${over}</p>
    <h2 id="why-title" tabindex="-1" ref=${heading}>${title}</h2>
    ${under && html`<p class="faint">${under}</p>`}
    ${children}
  </aside>`;
}
