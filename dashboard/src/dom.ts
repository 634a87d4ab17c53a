/** Making and updating elements. Text is only ever text: nothing here takes markup. */

import { shown } from './words.js';

type Child = Node | string | null;

interface Properties {
  class?: string | null;
  text?: string;
  on?: Partial<Record<keyof HTMLElementEventMap, (event: never) => void>>;
  /** Attributes; null leaves one out. */
  [attribute: string]: unknown;
}

export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Properties = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined) continue;
    if (name === 'class') element.className = String(value);
    else if (name === 'text') element.textContent = shown(String(value));
    else if (name === 'on') {
      for (const [event, handler] of Object.entries(value as Record<string, EventListener>)) {
        element.addEventListener(event, handler);
      }
    } else element.setAttribute(name, value === true ? '' : shown(String(value)));
  }
  for (const child of children)
    if (child !== null) element.append(typeof child === 'string' ? shown(child) : child);
  return element;
}

export function svg(
  tag: string,
  attributes: Record<string, string | number>,
  ...children: Node[]
): SVGElement {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

export function setText(element: Element, text: string): void {
  const clean = shown(text);
  if (element.textContent !== clean) element.textContent = clean;
}

/** null takes the attribute away. */
export function setAttribute(element: Element, name: string, value: string | null): void {
  if (value === null) element.removeAttribute(name);
  else if (element.getAttribute(name) !== shown(value)) element.setAttribute(name, shown(value));
}

export function show(element: HTMLElement, visible: boolean): void {
  if (element.hidden === visible) element.hidden = !visible;
}

/** A list whose elements stay the same ones, and where they are, for the same keys. */
export class Keyed<Item, Row extends { root: HTMLElement }> {
  readonly rows = new Map<string, Row>();

  constructor(
    private readonly parent: HTMLElement,
    private readonly key: (item: Item) => string,
    private readonly create: (item: Item) => Row,
    private readonly update: (row: Row, item: Item) => void,
    private readonly head: Element | null = null, // stays before all rows
  ) {}

  set(items: readonly Item[]): void {
    // First: a row that is moved loses focus, selection and where it was scrolled to.
    const wanted = new Set(items.map(this.key));
    for (const [key, row] of this.rows) {
      if (wanted.has(key)) continue;
      row.root.remove();
      this.rows.delete(key);
    }
    let after = this.head;
    for (const item of items) {
      const key = this.key(item);
      let row = this.rows.get(key);
      if (!row) {
        row = this.create(item);
        this.rows.set(key, row);
      }
      this.update(row, item);
      const place: ChildNode | null = after
        ? after.nextElementSibling
        : this.parent.firstElementChild;
      if (place !== row.root) this.parent.insertBefore(row.root, place);
      after = row.root;
    }
  }
}
