//! Writes `src/pb` of the client: `sidecar-client-generator DESCRIPTOR_SET DIRECTORY`, called by `make gen`.
//!
//! Messages by prost, and of each service the full names of its methods, so that none is typed by hand. No client
//! stubs: the client sends bytes, so that a retry sends the same, and a fake can answer them.

use std::fs;
use std::path::PathBuf;

use prost::Message;
use prost_types::FileDescriptorSet;

/// A module of constants for each service, in place of a client.
struct MethodNames;

impl prost_build::ServiceGenerator for MethodNames {
    fn generate(&mut self, service: prost_build::Service, buffer: &mut String) {
        let module = service.proto_name.replace("Service", "_service").to_lowercase();
        let path = format!("{}.{}", service.package, service.proto_name);
        let constants = service.methods.iter().map(|method| {
            let name = method.name.to_uppercase();
            format!("    pub const {name}: &str = \"/{path}/{}\";\n", method.proto_name)
        });
        let constants = constants.collect::<String>();
        buffer.extend(["/// The methods of a service, by their full names.\n", "pub mod ", &module, " {\n"]);
        buffer.extend([constants.as_str(), "}\n"]);
    }
}

fn main() {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(descriptors), Some(directory)) = (arguments.next(), arguments.next()) else {
        panic!("wanted DESCRIPTOR_SET DIRECTORY");
    };
    let encoded = fs::read(&descriptors).expect("the descriptor set can be read");
    let files = FileDescriptorSet::decode(encoded.as_slice()).expect("the descriptor set is one");
    prost_build::Config::new()
        .out_dir(directory)
        .service_generator(Box::new(MethodNames))
        // Why: a request is the same bytes each time, whatever the seed of a hash.
        .btree_map(["."])
        // Why: documentation is that of the client's own types; half of this would be indented as code to rustdoc.
        .disable_comments(["."])
        .compile_fds(files)
        .expect("the contract compiles");
}
