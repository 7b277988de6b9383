// RUN: lamina-opt %s --split-input-file --verify-diagnostics --parsing-diagnostics | filecheck %s

// CHECK: vec.load: memref<8x8xf32> needs 2 indices, got 1
func.func @rank(%x: memref<8x8xf32>) {
  %0 = vec.load %x[0] : memref<8x8xf32> -> f32
  func.return
}

// -----

// CHECK: vec.load: needs a buffer with known strides, got memref<?xf32>
func.func @dynamic_extent(%x: memref<?xf32>) {
  %0 = vec.load %x[0] : memref<?xf32> -> f32
  func.return
}

// -----

// CHECK: vec.load: needs a buffer with known strides, got memref<8x8xf32, strided<[?, 1]>>
func.func @dynamic_stride(%x: memref<8x8xf32, strided<[?, 1]>>) {
  %0 = vec.load %x[0, 0] : memref<8x8xf32, strided<[?, 1]>> -> f32
  func.return
}

// -----

// CHECK: vec.store: memref<16xf32> holds no elements of vector<16xf16>
func.func @only_halves_are_rounded(%x: memref<16xf32>, %v: vector<16xf16>) {
  vec.store %v, %x[0] : vector<16xf16>, memref<16xf32>
  func.return
}

// -----

// CHECK: vec.store: memref<16xf32> holds no elements of vector<16xi32>
func.func @element_type(%x: memref<16xf32>, %v: vector<16xi32>) {
  vec.store %v, %x[0] : vector<16xi32>, memref<16xf32>
  func.return
}

// -----

// CHECK: vec.load: 4 consecutive elements need a last stride of 1, got memref<8x8xf32, strided<[1, 8]>>
func.func @elements_are_not_consecutive(%x: memref<8x8xf32, strided<[1, 8]>>) {
  %0 = vec.load %x[0, 0] : memref<8x8xf32, strided<[1, 8]>> -> vector<4xf32>
  func.return
}

// -----

// CHECK: vec.load_splat: index 8 of dimension 1 is outside memref<8x8xf32>
func.func @number_too_large(%x: memref<8x8xf32>, %i: index) {
  %0 = vec.load_splat %x[%i, 8] : memref<8x8xf32> -> vector<4xf32>
  func.return
}

// -----

// CHECK: vec.load: index -1 of dimension 0 is outside memref<8x8xf32>
func.func @number_too_small(%x: memref<8x8xf32>, %i: index) {
  %0 = vec.load %x[-1, %i] : memref<8x8xf32> -> f32
  func.return
}

// -----

// CHECK: vec.store: elements 10 to 25 are not all inside memref<3x8xf32>
func.func @last_lane_is_outside(%x: memref<3x8xf32>, %v: vector<16xf32>) {
  vec.store %v, %x[1, 2] : vector<16xf32>, memref<3x8xf32>
  func.return
}

// -----

// CHECK: vec.load: index names operand d1, but there are 1 index operands
func.func @operand_does_not_exist(%x: memref<8xf32>, %i: index) {
  %0 = "vec.load"(%x, %i) <{index = #loop.index<[d1]>}> : (memref<8xf32>, index) -> f32
  func.return
}

// -----

// CHECK: expected an operand d0, d1, ..., got 'oh'
func.func @operand_has_a_name(%x: memref<8xf32>, %i: index) {
  %0 = "vec.load"(%x, %i) <{index = #loop.index<[oh]>}> : (memref<8xf32>, index) -> f32
  func.return
}

// -----

// CHECK: vec.load_splat: needs a vector result, got f32
func.func @splat_of_one(%x: memref<8xf32>) {
  %0 = vec.load_splat %x[0] : memref<8xf32> -> f32
  func.return
}

// -----

// CHECK: vec.load_strided: needs a stride of at least 1, got 0
func.func @no_stride(%x: memref<8xf32>) {
  %0 = vec.load_strided %x[0] stride 0 : memref<8xf32> -> vector<4xf32>
  func.return
}

// -----

// CHECK: vec.store_strided: elements 0 to 9 are not all inside memref<8xf32>
func.func @last_step_is_outside(%x: memref<8xf32>, %v: vector<4xf32>) {
  vec.store_strided %v, %x[0] stride 3 : vector<4xf32>, memref<8xf32>
  func.return
}

// -----

// CHECK: vec.shuffle: two vector<4xf32> have lanes 0 to 7, got 8
func.func @no_such_lane_of_two(%v: vector<4xf32>) {
  %0 = vec.shuffle %v, %v [0, 8] : vector<4xf32> -> vector<2xf32>
  func.return
}

// -----

// CHECK: vec.shuffle: makes vector<2xf32>, got vector<4xf32>
func.func @as_many_lanes_as_are_named(%v: vector<4xf32>) {
  %0 = vec.shuffle %v, %v [0, 7] : vector<4xf32> -> vector<4xf32>
  func.return
}

// -----

// CHECK: vec.splat_lane: vector<4xf32> has lanes 0 to 3, got 4
func.func @no_such_lane(%v: vector<4xf32>) {
  %0 = vec.splat_lane %v[4] : vector<4xf32>
  func.return
}

// -----

// CHECK: vec.convert: vector<4xf32> and vector<8xi32> differ in shape
func.func @convert_shapes(%v: vector<4xf32>) {
  %0 = vec.convert %v : vector<4xf32> to vector<8xi32>
  func.return
}

// -----

// CHECK: vec.convert: needs integers or floats, got index
func.func @convert_index(%i: index) {
  %0 = vec.convert %i : index to f32
  func.return
}

// -----

// CHECK: vec.convert: vector<4xf32> is what it is converted to
func.func @convert_nothing(%v: vector<4xf32>) {
  %0 = vec.convert %v : vector<4xf32> to vector<4xf32>
  func.return
}

// -----

// CHECK: vec.convert: no integer is unsigned in f32 to f64
func.func @unsigned_floats(%x: f32) {
  %0 = vec.convert unsigned %x : f32 to f64
  func.return
}

// -----

// CHECK: vec.bitcast: vector<16x4xi8> and vector<32xi16> differ in lanes or bits of a lane
func.func @bitcast_lanes(%v: vector<16x4xi8>) {
  %0 = vec.bitcast %v : vector<16x4xi8> to vector<32xi16>
  func.return
}

// -----

// CHECK: vec.bitcast: vector<16x4xi8> and i32 differ in lanes or bits of a lane
func.func @bitcast_group(%v: vector<16x4xi8>) {
  %0 = vec.bitcast %v : vector<16x4xi8> to i32
  func.return
}

// -----

// CHECK: vec.bitcast: needs integers or floats, got index
func.func @bitcast_index(%i: index) {
  %0 = vec.bitcast %i : index to i64
  func.return
}

// -----

// CHECK: vec.compare: predicate of f32 must be one of false, oeq, ogt, oge, olt, ole, one, ord, ueq, ugt, uge, ult, ule, une, uno, true, got "lt"
func.func @compare_floats_by_an_unknown_predicate(%x: f32) {
  %0 = vec.compare "lt" %x, %x : f32 -> i1
  func.return
}

// -----

// CHECK: vec.compare: predicate of i32 must be one of eq, ne, slt, sle, sgt, sge, ult, ule, ugt, uge, got "olt"
func.func @compare_integers_as_floats(%v: vector<4xi32>) {
  %0 = vec.compare "olt" %v, %v : vector<4xi32> -> vector<4xi1>
  func.return
}

// -----

// CHECK: vec.compare: result must be vector<4xi1>, got i1
func.func @compare_lanes_to_one_result(%v: vector<4xi32>) {
  %0 = vec.compare "eq" %v, %v : vector<4xi32> -> i1
  func.return
}

// -----

// CHECK: vec.compare: needs integers or floats, got index
func.func @compare_indices(%i: index) {
  %0 = vec.compare "eq" %i, %i : index -> i1
  func.return
}

// -----

// CHECK: vec.select: vector<4xf32> is chosen by vector<4xi1>, got i1
func.func @select_lanes_by_one_condition(%c: i1, %v: vector<4xf32>) {
  %0 = vec.select %c, %v, %v : i1, vector<4xf32>
  func.return
}

// -----

// CHECK: vec.gather: needs 16 lanes of i32 or i64 for vector<16xf32>, got vector<8xi32>
func.func @lanes_are_too_few(%x: memref<64xf32>, %lanes: vector<8xi32>) {
  %0 = vec.gather %x[0] at %lanes : memref<64xf32>, vector<8xi32> -> vector<16xf32>
  func.return
}

// -----

// CHECK: vec.gather: needs 16 lanes of i32 or i64 for vector<16xf32>, got vector<16xi16>
func.func @lanes_are_too_narrow(%x: memref<64xf32>, %lanes: vector<16xi16>) {
  %0 = vec.gather %x[0] at %lanes : memref<64xf32>, vector<16xi16> -> vector<16xf32>
  func.return
}

// -----

// CHECK: vec.gather: memref<64xf32> holds no elements of vector<16xf64>
func.func @elements_are_others(%x: memref<64xf32>, %lanes: vector<16xi32>) {
  %0 = vec.gather %x[0] at %lanes : memref<64xf32>, vector<16xi32> -> vector<16xf64>
  func.return
}

// -----

// CHECK: vec.gather: memref<8x8xf32> needs 2 indices, got 1
func.func @gather_lacks_an_index(%x: memref<8x8xf32>, %lanes: vector<16xi32>) {
  %0 = vec.gather %x[0] at %lanes : memref<8x8xf32>, vector<16xi32> -> vector<16xf32>
  func.return
}

// -----

// CHECK: vec.rem: needs floats, got vector<4xi32>; arith.remsi divides integers
func.func @rest_of_integers(%v: vector<4xi32>) {
  %0 = vec.rem %v, %v : vector<4xi32>
  func.return
}

// -----

// CHECK: vec.load_run: needs one or more vectors of one type, got 2 of 2 types
func.func @vectors_of_a_run_differ(%x: memref<64xf32>) {
  %0, %1 = vec.load_run %x[0] : memref<64xf32> -> vector<16xf32>, vector<8xf32>
  func.return
}

// -----

// CHECK: vec.load_run: elements 40 to 71 are not all inside memref<64xf32>
func.func @run_ends_behind_the_buffer(%x: memref<64xf32>) {
  %0, %1 = vec.load_run %x[40] : memref<64xf32> -> vector<16xf32>, vector<16xf32>
  func.return
}
