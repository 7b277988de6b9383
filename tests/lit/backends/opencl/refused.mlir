// RUN: lamina-opt %s -t lamina-opencl --split-input-file --verify-diagnostics | filecheck %s
// RUN: lamina-opt %s -t 'lamina-opencl{target="opencl:portable"}' --split-input-file --verify-diagnostics | filecheck %s --check-prefix=PORTABLE
// RUN: lamina-opt %s -t 'lamina-opencl{target="cpu:haswell"}' --split-input-file --verify-diagnostics | filecheck %s --check-prefix=CPU

// CPU: opencl: kernels are for OpenCL devices, got cpu:haswell

// PORTABLE: opencl: @lanes: a work-group has 16 lanes, vector<32xf32> has 32; vec-split{lanes=16} cuts wider vectors
// CHECK: opencl: @lanes: a subgroup has 16 lanes, vector<32xf32> has 32; vec-split{lanes=16} cuts wider vectors
func.func @lanes(%x: memref<32xf32>) {
  %v = vec.load %x[0] : memref<32xf32> -> vector<32xf32>
  func.return
}

// -----

// CHECK: opencl: @groups: a lane holds one element or 4 bytes, not those of vector<16x2xi16>
func.func @groups(%x: memref<32xi16>) {
  %v = vec.load %x[0] : memref<32xi16> -> vector<16x2xi16>
  func.return
}

// -----

// CHECK: opencl: @type: no OpenCL type for i4
func.func @type(%x: memref<8xi4>) {
  func.return
}

// -----

// CHECK: opencl: @argument: argument 0 needs a memref, got f32
func.func @argument(%x: f32) {
  func.return
}

// -----

// CHECK: opencl: @op: no OpenCL for func.call
func.func private @other()
func.func @op() {
  func.call @other() : () -> ()
  func.return
}

// -----

// CHECK: opencl: no OpenCL for loop.for beside functions
loop.for %i < 2 {}

// -----

// CHECK: opencl: @constant: the lanes of a constant must be the same, or as far apart, got dense<[0, 1, 4]>
func.func @constant() {
  %v = arith.constant dense<[0, 1, 4]> : vector<3xi32>
  func.return
}

// -----

// CHECK: opencl: @dimension: lamina.grid needs a dimension below 3 for each of 2 indices, got array<i64: 3, 0>
func.func @dimension() {
  loop.for %i < 2, %j < 2 parallel attributes {lamina.grid = array<i64: 3, 0>} {}
  func.return
}

// -----

// CHECK: opencl: @unmapped: a parallel nest is mapped to nothing; run loop-map-to-grid
func.func @unmapped() {
  loop.for %i < 2 parallel {}
  func.return
}

// -----

// CHECK: opencl: @beside: loop.for stands beside what is launched; run loop-map-to-grid
func.func @beside(%x: memref<2xf32>) {
  loop.for %i < 2 parallel attributes {lamina.grid = array<i64: 0>} {}
  loop.for %j < 2 {
    %one = arith.constant 1.0 : f32
    vec.store %one, %x[%j] : f32, memref<2xf32>
  }
  func.return
}

// -----

// CHECK: opencl: @negative: vec.load divides -d0 + 1, which may be negative
func.func @negative(%x: memref<2xf32>) {
  loop.for %i < 4 {
    %v = vec.load %x[(3 - %i) floordiv 2] : memref<2xf32> -> f32
  }
  func.return
}

// -----

// CHECK: opencl: @stride: vec.store_strided of groups needs a stride of at least 4, got 2
func.func @stride(%x: memref<128xi8>, %w: memref<64xi8>) {
  %v = vec.load %w[0] : memref<64xi8> -> vector<16x4xi8>
  vec.store_strided %v, %x[0] stride 2 : vector<16x4xi8>, memref<128xi8>
  func.return
}

// -----

// CHECK: opencl: @number_of_a_step: no OpenCL for arith.index_cast to i32
func.func @number_of_a_step(%x: memref<4xi32>) {
  loop.for %i < 4 {
    %v = arith.index_cast %i : index to i32
    vec.store %v, %x[%i] : i32, memref<4xi32>
  }
  func.return
}

// -----

// CHECK: opencl: @lowest_bit: no OpenCL for arith.trunci to i1; use vec.convert
func.func @lowest_bit(%x: memref<4xi32>, %y: memref<4xi1>) {
  %v = vec.load %x[0] : memref<4xi32> -> i32
  %b = arith.trunci %v : i32 to i1
  vec.store %b, %y[0] : i1, memref<4xi1>
  func.return
}

// -----

// CHECK: opencl: @lanes_of_i64: vec.gather needs lanes of i32, as wide as an address, got vector<16xi64>
func.func @lanes_of_i64(%at: memref<16xi64>, %x: memref<4xf32>) {
  %l = vec.load %at[0] : memref<16xi64> -> vector<16xi64>
  %v = vec.gather %x[0] at %l : memref<4xf32>, vector<16xi64> -> vector<16xf32>
  func.return
}

// -----

// CHECK: opencl: @groups_of_lanes: no OpenCL for vec.bitcast from vector<16xi8> to vector<4x4xi8>: lanes cannot become a group
func.func @groups_of_lanes(%x: memref<16xi8>, %y: memref<16xi8>) {
  %v = vec.load %x[0] : memref<16xi8> -> vector<16xi8>
  %g = vec.bitcast %v : vector<16xi8> to vector<4x4xi8>
  vec.store %g, %y[0] : vector<4x4xi8>, memref<16xi8>
  func.return
}

// -----

// PORTABLE: opencl: @subgroups: a vector is a subgroup, of which opencl:portable has none; loop-map-to-grid{lanes=work_items} says what it is then
// CHECK: // a subgroup of 16 for each of i < 2
func.func @subgroups() {
  loop.for %i < 2 parallel attributes {lamina.grid = array<i64: 0>} {}
  func.return
}

// -----

// PORTABLE: opencl: @lane_of_another: vec.splat_lane is for subgroups; vec-stage-lanes does without
// CHECK: = intel_sub_group_shuffle(
func.func @lane_of_another(%x: memref<16xf32>) {
  %v = vec.load %x[0] : memref<16xf32> -> vector<16xf32>
  %s = vec.splat_lane %v[3] : vector<16xf32>
  vec.store %s, %x[0] : vector<16xf32>, memref<16xf32>
  func.return
}

// -----

// CHECK: opencl: @whose_lanes: lamina.lanes is "subgroup" or "work_items", got "warp"
// PORTABLE: opencl: @whose_lanes: lamina.lanes is "subgroup" or "work_items", got "warp"
func.func @whose_lanes() {
  loop.for %i < 2 parallel attributes {lamina.grid = array<i64: 0>, lamina.lanes = "warp"} {}
  func.return
}

// -----

// CHECK: opencl: @array: memref.alloca is for memory space "local" of work-items, at the beginning of a launch, got memref<16xf32>; vec-stage-lanes makes such
// PORTABLE: opencl: @array: memref.alloca is for memory space "local" of work-items, at the beginning of a launch, got memref<16xf32>; vec-stage-lanes makes such
func.func @array() {
  %a = memref.alloca() : memref<16xf32>
  func.return
}

// -----

// CHECK: opencl: @shared_by_a_subgroup: memref.alloca is for memory space "local" of work-items
// PORTABLE: __local float a[16];
func.func @shared_by_a_subgroup() {
  %a = memref.alloca() : memref<16xf32, "local">
  func.return
}

// -----

// PORTABLE: opencl: @shared_in_a_loop: memref.alloca is for memory space "local" of work-items, at the beginning of a launch
// CHECK: opencl: @shared_in_a_loop: memref.alloca is for memory space "local" of work-items, at the beginning of a launch
func.func @shared_in_a_loop() {
  loop.for %i < 4 {
    %a = memref.alloca() : memref<16xf32, "local">
  }
  func.return
}
