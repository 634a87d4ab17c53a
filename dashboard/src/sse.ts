/** Server-sent events as they come in pieces, as the HTML standard has them. Pure. */

export interface Message {
  event: string;
  data: string;
  id: string | null; // null: it says none
}

const most = 16 << 20; // characters of one event: more is no Headroom

export class Parser {
  private rest = ''; // of a line that goes on
  private event = '';
  private data: string[] = [];
  private size = 0;
  private id: string | null = null;

  /** The messages that this piece ends. Throws where one has no end. */
  feed(piece: string): Message[] {
    const messages: Message[] = [];
    // A carriage return at the end may be half of a line's end.
    const text = this.rest + piece;
    const lines = text.split(/\r\n|\n|\r(?!$)/);
    this.rest = lines.pop()!;
    for (const line of lines) {
      const message = this.line(line);
      if (message) messages.push(message);
    }
    if (this.rest.length + this.size > most) throw new Error('an event without an end');
    return messages;
  }

  private line(line: string): Message | null {
    if (line === '') return this.dispatch();
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') this.event = value;
    else if (field === 'data') {
      this.data.push(value);
      this.size += value.length;
    } else if (field === 'id' && !value.includes('\0')) this.id = value;
    return null;
  }

  private dispatch(): Message | null {
    const message = this.data.length
      ? { event: this.event || 'message', data: this.data.join('\n'), id: this.id }
      : null;
    this.event = '';
    this.data = [];
    this.size = 0;
    this.id = null;
    return message;
  }
}
