// RUN: lamina-opt %s -p vec-stage-lanes --split-input-file --verify-diagnostics | filecheck %s

// What is handed over at once is loaded at once; rows are written anew in each step when all lanes
// have read the old ones.
// CHECK-LABEL: func.func @rows_of_a_loop(
// CHECK-NEXT:    loop.for %i < 4 parallel attributes
// CHECK-NEXT:      %rows = memref.alloca() : memref<2x4xf32, "local">
// CHECK-NEXT:      loop.for %k < 2 {
// CHECK-NEXT:        %v = vec.load %x[%i, %k * 4]
// CHECK-NEXT:        %w = vec.load %x[%i, %k * 4 + 8]
// CHECK-NEXT:        vec.barrier
// CHECK-NEXT:        vec.store %v, %rows[0, 0] : vector<4xf32>, memref<2x4xf32, "local">
// CHECK-NEXT:        vec.store %w, %rows[1, 0] : vector<4xf32>, memref<2x4xf32, "local">
// CHECK-NEXT:        vec.barrier
// CHECK-NEXT:        %a = vec.load_splat %rows[0, 3] : memref<2x4xf32, "local"> -> vector<4xf32>
// CHECK-NEXT:        %b = vec.load_splat %rows[1, 0] : memref<2x4xf32, "local"> -> vector<4xf32>
// CHECK-NEXT:        %c = vec.load_splat %rows[0, 1] : memref<2x4xf32, "local"> -> vector<4xf32>
func.func @rows_of_a_loop(%x: memref<4x16xf32>, %y: memref<4x4xf32>) {
  loop.for %i < 4 parallel attributes {lamina.grid = array<i64: 0>, lamina.lanes = "work_items"} {
    loop.for %k < 2 {
      %v = vec.load %x[%i, %k * 4] : memref<4x16xf32> -> vector<4xf32>
      %a = vec.splat_lane %v[3] : vector<4xf32>
      %w = vec.load %x[%i, %k * 4 + 8] : memref<4x16xf32> -> vector<4xf32>
      %b = vec.splat_lane %w[0] : vector<4xf32>
      %c = vec.splat_lane %v[1] : vector<4xf32>
      %s = arith.addf %a, %b : vector<4xf32>
      %t = arith.addf %s, %c : vector<4xf32>
      vec.store %t, %y[%i, 0] : vector<4xf32>, memref<4x4xf32>
    }
  }
  func.return
}

// -----

// What is computed from lanes, or read where the step has written, is handed over later; what makes
// another row comes first with it.
// CHECK-LABEL: func.func @one_after_the_other(
// CHECK-NEXT:    %rows = memref.alloca() : memref<4x4xf32, "local">
// CHECK-NEXT:    %v = vec.load %x[0]
// CHECK-NEXT:    %h_1 = vec.load %h[0]
// CHECK-NEXT:    %w = vec.convert %h_1
// CHECK-NEXT:    vec.barrier
// CHECK-NEXT:    vec.store %v, %rows[0, 0]
// CHECK-NEXT:    vec.store %w, %rows[3, 0]
// CHECK-NEXT:    vec.barrier
// CHECK-NEXT:    %a = vec.load_splat %rows[0, 3]
// CHECK-NEXT:    %s = arith.addf %a, %v
// CHECK-NEXT:    vec.store %s, %x[0] : vector<4xf32>, memref<8xf32>
// CHECK-NEXT:    vec.store %s, %rows[1, 0]
// CHECK-NEXT:    vec.barrier
// CHECK-NEXT:    %b = vec.load_splat %rows[1, 0]
// CHECK-NEXT:    %u = vec.load %x[0]
// CHECK-NEXT:    vec.store %u, %rows[2, 0]
// CHECK-NEXT:    vec.barrier
// CHECK-NEXT:    %c = vec.load_splat %rows[2, 1]
// CHECK-NEXT:    %d = vec.load_splat %rows[3, 1]
func.func @one_after_the_other(%x: memref<8xf32>, %h: memref<8xf16>) {
  %v = vec.load %x[0] : memref<8xf32> -> vector<4xf32>
  %a = vec.splat_lane %v[3] : vector<4xf32>
  %s = arith.addf %a, %v : vector<4xf32>
  vec.store %s, %x[0] : vector<4xf32>, memref<8xf32>
  %b = vec.splat_lane %s[0] : vector<4xf32>
  %u = vec.load %x[0] : memref<8xf32> -> vector<4xf32>
  %c = vec.splat_lane %u[1] : vector<4xf32>
  %h_1 = vec.load %h[0] : memref<8xf16> -> vector<4xf16>
  %w = vec.convert %h_1 : vector<4xf16> to vector<4xf32>
  %d = vec.splat_lane %w[1] : vector<4xf32>
  func.return
}

// -----

// Each type has a buffer, and so has each block: a loop inside leaves the rows around it alone.
// CHECK-LABEL: func.func @types_and_blocks(
// CHECK-DAG:     %{{.*}} = memref.alloca() : memref<1x4xf32, "local">
// CHECK-DAG:     %{{.*}} = memref.alloca() : memref<1x4x4xi8, "local">
// CHECK-DAG:     %{{.*}} = memref.alloca() : memref<1x4xf32, "local">
// CHECK:         vec.store %v, %[[OUTER:rows.*]][0, 0] : vector<4xf32>, memref<1x4xf32, "local">
// CHECK:         vec.store %g, %{{.*}}[0, 0, 0] : vector<4x4xi8>, memref<1x4x4xi8, "local">
// CHECK:         vec.load_splat %{{.*}}[0, 2, 0] : memref<1x4x4xi8, "local"> -> vector<4x4xi8>
// CHECK-NOT:     vec.store %s, %[[OUTER]]
// CHECK:         vec.load_splat %[[OUTER]][0, 1]
func.func @types_and_blocks(%x: memref<8xf32>, %q: memref<16xi8>) {
  %v = vec.load %x[0] : memref<8xf32> -> vector<4xf32>
  %a = vec.splat_lane %v[3] : vector<4xf32>
  %g = vec.load %q[0] : memref<16xi8> -> vector<4x4xi8>
  %b = vec.splat_lane %g[2] : vector<4x4xi8>
  loop.for %k < 2 iter(%s = %v) : vector<4xf32> {
    %t = vec.splat_lane %s[0] : vector<4xf32>
    loop.yield %t : vector<4xf32>
  }
  %c = vec.splat_lane %v[1] : vector<4xf32>
  func.return
}

// -----

// A lane of what is the same in all lanes is that.
// CHECK-LABEL: func.func @equal_lanes(
// CHECK:         %a = vec.load_splat %rows[0, 3]
// CHECK-NEXT:    %e = vec.load_splat %x[5]
// CHECK-NEXT:    vec.store %a, %x[0]
// CHECK-NEXT:    vec.store %e, %x[4]
func.func @equal_lanes(%x: memref<8xf32>) {
  %v = vec.load %x[0] : memref<8xf32> -> vector<4xf32>
  %a = vec.splat_lane %v[3] : vector<4xf32>
  %b = vec.splat_lane %a[1] : vector<4xf32>
  %e = vec.load_splat %x[5] : memref<8xf32> -> vector<4xf32>
  %f = vec.splat_lane %e[1] : vector<4xf32>
  vec.store %b, %x[0] : vector<4xf32>, memref<8xf32>
  vec.store %f, %x[4] : vector<4xf32>, memref<8xf32>
  func.return
}

// -----

// CHECK: vec-stage-lanes: @large: rows take 65536 bytes of local memory, of which 32768 are sure to be there; choose a smaller tile
func.func @large(%v: vector<8192xf64>) {
  %a = vec.splat_lane %v[3] : vector<8192xf64>
  func.return
}
