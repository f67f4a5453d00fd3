"""The name of every result, known before it is computed."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.cluster import Clusterer
from explorer.cluster.tree import TreeClusterer
from explorer.dataset import Dataset
from explorer.edit import Edit
from explorer.edit.split import Split
from explorer.encode import Encoder
from explorer.encode.reading import ReadingEncoder
from explorer.model import model_key, training_name
from explorer.neighbors import Neighbors, neighbor_searches
from explorer.neighbors.nearest import shared_count
from explorer.project import Projector
from explorer.recipe import divider_of
from explorer.spec import Method, result_key


def embedding_key(method: Encoder, dataset: Dataset) -> str:
    """The name of an embedding: what made it, the weights it used, the columns it read."""
    if isinstance(method, ReadingEncoder):
        keys = reading_keys(method, dataset)
        return result_key("encode", method.identity(), keys.read, keys.model)
    columns = [[column.name, column.role] for column in method.columns(dataset)]
    return result_key("encode", method.identity(), method.fingerprint(), dataset.id, columns)


@dataclass(frozen=True)
class ReadingKeys:
    """What stands before the embedding of an encoder with a network: its reader, the key of what
    that reads, the key of the model, the name of an unfinished training."""

    reader: Encoder
    read: str
    model: str
    training: str


def reading_keys(method: ReadingEncoder, dataset: Dataset) -> ReadingKeys:
    """The names of what such an encoder needs for a dataset."""
    reader = method.reader(dataset)
    read = embedding_key(reader, dataset)
    identity = method.identity()
    return ReadingKeys(reader, read, model_key(identity, method.fingerprint(), read),
                       training_name(identity, read))


def graph_method(method: Projector, n: int) -> Neighbors | None:
    """The search whose graph a projector of n rows shares with others; None when it needs none."""
    needed = method.neighbors_needed(n)
    if needed <= 0:
        return None
    return neighbor_searches().create("nearest", {"count": max(shared_count(needed, n), 1),
                                                  "metric": method.distance})


def clustering_key(method: Clusterer, clustered: str) -> str:
    """The name of a clustering: what made it and the vectors it was made of."""
    return result_key("cluster", method.identity(), clustered)


def tree_key(method: TreeClusterer, clustered: str) -> str:
    """The name of a tree: what decides it, and nothing of where it is cut."""
    return result_key("tree", method.grower().identity(), clustered)


def edited_key(edit: Edit, clustering: str, embedding: str, clustered: str) -> str:
    """The name of a clustering after an edit: the edit, the clustering before it, the rows of the
    embedding; for a split also the clusterer, all its parameters and the vectors."""
    divided = [divider_of(edit).identity(), clustered] if isinstance(edit, Split) else []
    return result_key("edit", edit.identity(), clustering, embedding, *divided)


def judgement_key(judge: Method, clustered: str, clustering: str) -> str:
    """The name of a judgement: judge, vectors and labels."""
    return result_key("judge", judge.identity(), clustered, clustering)
