from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from explorer.dataset import Column, Dataset
from explorer.encode import Placed
from explorer.encode.counted_words import pack_words, unpack_words
from explorer.encode.texts import Texts, read_question, read_texts, text_columns
from explorer.encode.unit import UnitLength, counted, left_out
from explorer.errors import DataError, ResultError, Where
from explorer.spec import Cost, Progress, advanced
from explorer.values import Embedding

_WORD = r"(?u)\b\w\w+\b"
_NO_DIRECTION = 1e-6
_NAMED = 8


@dataclass(frozen=True)
class _Fit:
    """`turned`: the texts along the kept directions, n x k float64; `known` (n bool): texts with a
    counted word; both in the order of `texts`."""

    texts: Texts
    vectorizer: Any
    svd: Any
    turned: np.ndarray
    known: np.ndarray

    @property
    def words(self) -> int:
        return int(self.svd.components_.shape[1])


class Tfidf(UnitLength):
    """Counts words and neighbouring pairs, weighs rare ones up, and keeps the main directions of
    these counts (latent semantic analysis). Knows no meaning, works in any language that writes
    spaces, needs no model. A word has two or more letters or digits."""

    key: ClassVar[str] = "tfidf"
    title: ClassVar[str] = "TF-IDF + SVD"
    rank: ClassVar[int] = 40
    places_texts: ClassVar[bool] = True

    dimensions: int = Field(
        100, ge=1, le=1000, description="How many directions to keep; fewer where the texts have "
                                        "fewer.")
    stop_words: Literal["none", "english"] = Field(
        "none", description="Leave out frequent English words such as 'the' and 'of'.")
    longest_phrase: int = advanced(
        2, ge=1, le=3, description="1 counts single words, 2 also pairs of neighbours, 3 also "
                                   "runs of three.")
    min_count: int = advanced(
        2, ge=1, description="Leave out words that are in fewer texts than this.")
    max_share: float = advanced(
        1.0, gt=0.0, le=1.0, description="Leave out words that are in a larger share of the texts "
                                         "than this.")
    vocabulary: int = advanced(
        50_000, ge=10, le=1_000_000, description="Most words and phrases to count; the most "
                                                 "frequent are kept.")
    sublinear: bool = advanced(
        True, description="Count a word's repetitions within a text by their logarithm.")
    accents: Literal["stripped", "kept"] = advanced(
        "stripped", description="Stripped counts 'café' and 'cafe' as one word.")
    normalize: bool = advanced(
        True, description="Bring every vector to length 1, so that long and short texts compare.")
    seed: int = advanced(0, ge=0, le=2**32 - 1, description="Same seed, same result.")

    def columns(self, dataset: Dataset) -> tuple[Column, ...]:
        """The text columns. Raises DataError NO_TEXT."""
        return text_columns(dataset)

    def encode(self, dataset: Dataset, progress: Progress) -> Embedding:
        fit = self._fit(dataset, progress)
        texts = fit.texts
        progress(0.95, "Collecting the vectors")
        known = fit.known
        seen = np.linalg.norm(fit.turned, axis=1) > _NO_DIRECTION
        notes = texts.notes + self._notes(fit.words, fit.svd.explained_variance_ratio_)
        if not known.all():
            notes += (left_out(texts.rows[~known], "no counted word in the text"),)
        if self.normalize and (known & ~seen).any():
            notes += (left_out(texts.rows[known & ~seen], "none of its words is in the kept "
                                                          "directions"),)
        kept = known & seen if self.normalize else known
        progress(1.0, "Vectors ready")
        return self.finish(fit.turned[kept], texts.rows[kept],
                           f"TF-IDF + SVD ({fit.turned.shape[1]}-d)", (), notes)

    def learn(self, dataset: Dataset, embedding: Embedding,
              progress: Progress) -> dict[str, np.ndarray]:
        """Counts the texts again and holds the outcome against the vectors there are. Raises
        ResultError OTHER_VECTORS where another version of a library finds other directions."""
        fit = self._fit(dataset, progress)
        kept = np.isin(fit.texts.rows, embedding.rows)
        again = self.finish(fit.turned[kept], fit.texts.rows[kept], "")
        if (again.vectors.shape != embedding.vectors.shape
                or not np.allclose(again.vectors, embedding.vectors, rtol=1e-3, atol=1e-3)):
            raise ResultError("OTHER_VECTORS", f"{self.title} must find the directions of the "
                                               "vectors on the map again, got others.",
                              hint="Other versions of the libraries made them: change the recipe's "
                                   "encoder, for example its seed, and run it anew.")
        progress(1.0, "Words ready")
        return pack_words(fit.vectorizer.get_feature_names_out(), fit.vectorizer.idf_,
                          fit.svd.components_)

    def place(self, text: str, learned: Mapping[str, np.ndarray]) -> Placed:
        question = read_question(text)
        vectorizer = self._vectorizer({word: at for at, word in enumerate(unpack_words(learned))})
        vectorizer.idf_ = learned["weights"]
        counts = vectorizer.transform([question]).tocsr()
        if not counts.nnz:
            raise DataError("NO_KNOWN_WORD", "The text must have a word that is counted in the "
                                             "rows, got none: no word of it is in the vocabulary "
                                             f"of {counted(counts.shape[1], 'word')}.",
                            hint="Use other words of the rows, or search by words: that finds "
                                 "every text with them.")
        vector = np.asarray(counts @ learned["directions"].T, dtype=np.float64)
        if np.linalg.norm(vector) <= _NO_DIRECTION:
            raise DataError("NO_KNOWN_WORD", "The text must have a word in the kept directions, "
                                             "got only words the directions leave out.",
                            hint="Use other words, or keep more dimensions in the recipe.")
        found = self.finish(vector, np.zeros(1, dtype=np.int64), "")
        return Placed(found.vectors[0], (self._unknown(question, vectorizer),))

    def _unknown(self, question: str, vectorizer: Any) -> str:
        """Which single words of the text count here and which do not."""
        single = vectorizer.set_params(ngram_range=(1, 1)).build_analyzer()
        words = list(dict.fromkeys(single(question)))
        unknown = [word for word in words if word not in vectorizer.vocabulary_]
        if not unknown:
            return f"All {len(words):,} different words of it are in the vocabulary." \
                if len(words) > 1 else "Its word is in the vocabulary."
        more = f" and {len(unknown) - _NAMED:,} more" if len(unknown) > _NAMED else ""
        return (f"{len(words) - len(unknown):,} of its {counted(len(words), 'word')} are in the "
                f"vocabulary; not: {', '.join(unknown[:_NAMED])}{more}.")

    def _fit(self, dataset: Dataset, progress: Progress) -> _Fit:
        progress(0.0, "Reading the texts")
        texts = read_texts(dataset)
        # In an order of their own, so that the result does not depend on the order of the rows.
        order = np.array(sorted(range(len(texts.values)), key=texts.values.__getitem__))
        progress(0.1, f"Counting the words of {counted(len(order), 'text')}")
        vectorizer = self._vectorizer()
        weights = self._weigh(vectorizer, [texts.values[index] for index in order], texts)
        words = weights.shape[1]
        if words < 2 and not _any_letter(texts.values):
            raise self._no_words(texts.values, texts.columns)
        if words < 2:
            raise DataError("NO_TEXT", f"The texts must have at least 2 words to count, got "
                                       f"{words}.", Where(column=texts.columns),
                            "Lower the minimum count or use a sentence model.")
        progress(0.5, f"Finding the main directions of {counted(words, 'word')}")
        svd = self._svd(min(self.dimensions, words, len(order)))
        with np.errstate(invalid="ignore", divide="ignore"):  # one text repeated: no variance
            turned = svd.fit_transform(weights)
        back = np.argsort(order)
        return _Fit(texts, vectorizer, svd, turned[back], (np.diff(weights.indptr) > 0)[back])

    def estimate(self, n: int, d: int) -> Cost:
        return Cost(seconds=1.5 + 5e-4 * n, bytes=200_000_000 + 12_000 * n)

    def _vectorizer(self, vocabulary: dict[str, int] | None = None) -> Any:
        from sklearn.feature_extraction.text import TfidfVectorizer

        return TfidfVectorizer(
            token_pattern=_WORD, ngram_range=(1, self.longest_phrase), min_df=self.min_count,
            max_df=float(self.max_share), max_features=self.vocabulary, vocabulary=vocabulary,
            sublinear_tf=self.sublinear,
            strip_accents="unicode" if self.accents == "stripped" else None,
            stop_words="english" if self.stop_words == "english" else None)

    def _weigh(self, vectorizer: Any, values: list[str], texts: Texts) -> Any:
        """The n x words TF-IDF weights, a SciPy CSR matrix of float64. Raises DataError NO_TEXT."""
        try:
            return vectorizer.fit_transform(values).tocsr()
        except ValueError as error:  # the vocabulary is empty, or the bounds leave no count
            raise self._no_words(values, texts.columns) from error

    def _svd(self, dimensions: int) -> Any:
        from sklearn.decomposition import TruncatedSVD

        return TruncatedSVD(dimensions, random_state=self.seed)

    def _no_words(self, texts: list[str], names: str) -> DataError:
        """Why there is no word to count, in the words of the first reason that holds."""
        from sklearn.feature_extraction.text import CountVectorizer

        stop_words = "english" if self.stop_words == "english" else None
        analyze = CountVectorizer(token_pattern=_WORD).build_analyzer()
        analyze_rest = CountVectorizer(token_pattern=_WORD, stop_words=stop_words).build_analyzer()
        if not _any_letter(texts):
            got, hint = "only numbers, signs or emoji", (
                "Choose another column as text, give this one the role number or category, or use "
                "a sentence model such as MiniLM.")
        elif not any(analyze(text) for text in texts):
            got, hint = "only single letters", (
                "Choose another column as text, or give this one the role category.")
        elif not any(analyze_rest(text) for text in texts):
            got, hint = "only stop words", (
                "Switch the stop words off, or use a sentence model such as MiniLM.")
        else:
            got = (f"none in at least {self.min_count} and at most {self.max_share:.0%} of "
                   f"{counted(len(texts), 'text')}")
            hint = "Lower the minimum count, raise the largest share, or use a sentence model."
        return DataError("NO_TEXT", f"The texts must have words to count, got {got}.",
                         Where(column=names), hint)

    def _notes(self, words: int, explained: np.ndarray) -> tuple[str, ...]:
        most = " (the most frequent; there were more)" if words == self.vocabulary else ""
        kept = len(explained)
        notes = (f"{counted(words, 'word')} and phrases counted{most}; {kept} directions hold "
                 f"{float(np.nan_to_num(explained).sum()):.0%} of their variance.",)
        if kept < self.dimensions:
            return (*notes, f"{self.dimensions} dimensions asked for, {kept} possible with this "
                            "many texts and words.")
        return notes


def _any_letter(texts: list[str]) -> bool:
    return any(character.isalpha() for text in texts for character in text)
