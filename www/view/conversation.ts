/** The shown path as views, kept while their turns are shown. */
import { type Answer, type Chat, isLive, type Question, type Turn } from "../chat.js";
import { AnswerView, type AnswerActions } from "./answer.js";
import { QuestionView, type QuestionActions } from "./question.js";

export class Conversation {
  private readonly views = new Map<number, AnswerView | QuestionView>();

  constructor(private readonly root: HTMLElement, private readonly actions: QuestionActions & AnswerActions) {}

  /** Brings the list in step with the path of `chat`. */
  update(chat: Chat, now: number): void {
    const path = chat.path();
    const wanted = new Set(path.map((turn) => turn.id));
    for (const [id, view] of this.views) {
      if (wanted.has(id)) continue;
      view.dispose();
      view.node.remove();
      this.views.delete(id);
    }
    for (const [position, turn] of path.entries()) {
      const view = this.view(turn);
      const standing = this.root.children[position];
      if (standing !== view.node) this.root.insertBefore(view.node, standing ?? null);
      const versions = chat.siblings(turn);
      view.update(versions.indexOf(turn.id), versions.length, now);
    }
  }

  /** The view of an answer that is shown. */
  answer(turn: Answer): AnswerView | undefined {
    const view = this.views.get(turn.id);
    return view instanceof AnswerView ? view : undefined;
  }

  /** What left the device of the question to `answer` is known. */
  sent(answer: Answer, chat: Chat): void {
    const view = this.views.get(answer.parent);
    if (view instanceof QuestionView) view.update(chat.siblings(view.turn).indexOf(view.turn.id), chat.siblings(view.turn).length);
  }

  /** Makes all views anew, for another language. One that streams is made anew, too: its turn holds all that it shows. */
  rebuild(chat: Chat, now: number): void {
    for (const view of this.views.values()) {
      view.dispose();
      view.node.remove();
    }
    this.views.clear();
    this.update(chat, now);
  }

  /** Makes one view anew: its turn, which had ended, goes on. */
  remake(turn: Answer, chat: Chat, now: number): void {
    const old = this.views.get(turn.id);
    old?.dispose();
    old?.node.remove();
    this.views.delete(turn.id);
    this.update(chat, now);
  }

  applyMode(): void {
    for (const view of this.views.values()) if (view instanceof AnswerView && !isLive(view.turn)) view.applyMode();
  }

  letGo(): void {
    for (const view of this.views.values()) if (view instanceof AnswerView) view.letGo();
  }

  private view(turn: Turn): AnswerView | QuestionView {
    const known = this.views.get(turn.id);
    if (known) return known;
    const made = turn.role === "user"
      ? new QuestionView(turn as Question, this.actions)
      : new AnswerView(turn as Answer, this.actions);
    this.views.set(turn.id, made);
    return made;
  }
}
