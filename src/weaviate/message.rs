//! The few messages of Weaviate's gRPC API that are used here, each with the fields that are: what is not
//! named is passed over in an answer and not sent in a request.
//!
//! Names and numbers are those of `grpc/proto/v1` in the server's source.

use prost::Message;
use prost_types::Struct;

/// Asks for a page of objects.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct SearchRequest {
    #[prost(string, tag = "1")]
    pub(crate) collection: String,
    #[prost(string, tag = "10")]
    pub(crate) tenant: String,
    /// Absent: all that are no references.
    #[prost(message, optional, tag = "20")]
    pub(crate) properties: Option<PropertiesRequest>,
    #[prost(message, optional, tag = "21")]
    pub(crate) metadata: Option<MetadataRequest>,
    #[prost(uint32, tag = "30")]
    pub(crate) limit: u32,
    /// The id behind which the page begins; empty: not in the order of ids.
    #[prost(string, tag = "33")]
    pub(crate) after: String,
    #[prost(bool, tag = "102")]
    pub(crate) uses_127_api: bool,
}

/// Which properties; without a field: none.
#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct PropertiesRequest {}

/// What is to be told of each object.
#[derive(Clone, Copy, PartialEq, Message)]
pub(crate) struct MetadataRequest {
    #[prost(bool, tag = "1")]
    pub(crate) uuid: bool,
    /// Every vector that it has, named ones too.
    #[prost(bool, tag = "2")]
    pub(crate) vector: bool,
    #[prost(bool, tag = "4")]
    pub(crate) last_update_time_unix: bool,
}

/// A page.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct SearchReply {
    #[prost(message, repeated, tag = "2")]
    pub(crate) results: Vec<SearchResult>,
}

/// One object of it.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct SearchResult {
    #[prost(message, optional, tag = "2")]
    pub(crate) metadata: Option<MetadataResult>,
}

/// What is told of an object.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct MetadataResult {
    #[prost(string, tag = "1")]
    pub(crate) id: String,
    #[prost(int64, tag = "5")]
    pub(crate) last_update_time_unix: i64,
    /// The vector without a name.
    #[prost(bytes = "bytes", tag = "19")]
    pub(crate) vector_bytes: bytes::Bytes,
    #[prost(message, repeated, tag = "23")]
    pub(crate) vectors: Vec<Vectors>,
}

/// A named vector.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Vectors {
    #[prost(string, tag = "1")]
    pub(crate) name: String,
    /// 32-bit floats, little-endian; of a multi-vector the vectors one after the other, with the number of
    /// dimensions as 16 bits before them.
    #[prost(bytes = "bytes", tag = "3")]
    pub(crate) vector_bytes: bytes::Bytes,
    #[prost(enumeration = "VectorType", tag = "4")]
    pub(crate) r#type: i32,
}

/// What a named vector is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, prost::Enumeration)]
#[repr(i32)]
pub(crate) enum VectorType {
    Unspecified = 0,
    Single = 1,
    Multi = 2,
}

/// Puts objects, whatever is there.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct BatchObjectsRequest {
    #[prost(message, repeated, tag = "1")]
    pub(crate) objects: Vec<BatchObject>,
    #[prost(enumeration = "ConsistencyLevel", optional, tag = "2")]
    pub(crate) consistency_level: Option<i32>,
}

/// How many replicas must have taken a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, prost::Enumeration)]
#[repr(i32)]
pub(crate) enum ConsistencyLevel {
    Unspecified = 0,
    One = 1,
    Quorum = 2,
    All = 3,
}

/// One object to be put.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct BatchObject {
    #[prost(string, tag = "1")]
    pub(crate) uuid: String,
    #[prost(message, optional, tag = "3")]
    pub(crate) properties: Option<BatchProperties>,
    #[prost(string, tag = "4")]
    pub(crate) collection: String,
    #[prost(string, tag = "5")]
    pub(crate) tenant: String,
    #[prost(bytes = "bytes", tag = "6")]
    pub(crate) vector_bytes: bytes::Bytes,
    #[prost(message, repeated, tag = "23")]
    pub(crate) vectors: Vec<Vectors>,
}

/// Its properties: the server reads them from here as it reads JSON, lists and references as well.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct BatchProperties {
    #[prost(message, optional, tag = "1")]
    pub(crate) non_ref_properties: Option<Struct>,
}

/// What became of a batch.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct BatchObjectsReply {
    /// Seconds: never none.
    #[prost(float, tag = "1")]
    pub(crate) took: f32,
    /// Of those that were not taken.
    #[prost(message, repeated, tag = "2")]
    pub(crate) errors: Vec<BatchError>,
}

/// Why an object was not taken.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct BatchError {
    /// Its place in the batch.
    #[prost(int32, tag = "1")]
    pub(crate) index: i32,
    #[prost(string, tag = "2")]
    pub(crate) error: String,
}
