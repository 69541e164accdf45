/tmp/wt/ner/scripts/ner/target/release/deps/sluicegate_ner_train-c768d04150776e4f.d: src/main.rs src/corpus.rs src/judge.rs src/perceptron.rs src/train.rs

/tmp/wt/ner/scripts/ner/target/release/deps/sluicegate_ner_train-c768d04150776e4f: src/main.rs src/corpus.rs src/judge.rs src/perceptron.rs src/train.rs

src/main.rs:
src/corpus.rs:
src/judge.rs:
src/perceptron.rs:
src/train.rs:
