// RUN: lamina-opt %s -p loop-map-to-grid --split-input-file --verify-diagnostics | filecheck %s
// RUN: lamina-opt %s -p 'loop-map-to-grid{lanes=work_items}' --split-input-file --verify-diagnostics | filecheck %s --check-prefix=ITEMS
// RUN: lamina-opt %s -p 'loop-map-to-grid{lanes=warp}' --split-input-file --verify-diagnostics | filecheck %s --check-prefix=WARP

// WARP: loop-map-to-grid: lanes are subgroup or work_items, got warp

// Loops that hold only each other are one nest; the rest is serial.
// CHECK-LABEL: func.func @nest(
// CHECK-NEXT:    loop.for %i < 4, %j < 3 parallel attributes {lamina.grid = array<i64: 1, 0>} {
// ITEMS:         loop.for %i < 4, %j < 3 parallel attributes {lamina.grid = array<i64: 1, 0>, lamina.lanes = "work_items"} {
// CHECK-NEXT:      loop.for %k < 2 {
// CHECK:           loop.for %l < 2 {
func.func @nest(%x: memref<4x3x4xf32>, %y: memref<4x3x4xf32>) {
  loop.for %i < 4 parallel {
    loop.for %j < 3 {
      loop.for %k < 2 parallel {
        %v = vec.load %x[%i, %j, %k] : memref<4x3x4xf32> -> f32
        vec.store %v, %y[%i, %j, %k] : f32, memref<4x3x4xf32>
      }
      loop.for %l < 2 parallel {
        %v = vec.load %x[%i, %j, %l + 2] : memref<4x3x4xf32> -> f32
        vec.store %v, %y[%i, %j, %l + 2] : f32, memref<4x3x4xf32>
      }
    }
  }
  func.return
}

// -----

// A sum is not independent of the steps before; it is a nest inside of the grid.
// CHECK-LABEL: func.func @reduction(
// CHECK:         loop.for %i < 4 parallel attributes {lamina.grid = array<i64: 0>} {
// CHECK-NEXT:      %{{.*}} = loop.for %k < 3 iter(
func.func @reduction(%x: memref<4x3xf32>, %y: memref<4xf32>) {
  %zero = arith.constant 0.0 : f32
  loop.for %i < 4 {
    %s = loop.for %k < 3 iter(%acc = %zero) : f32 {
      %v = vec.load %x[%i, %k] : memref<4x3xf32> -> f32
      %a = arith.addf %acc, %v : f32
      loop.yield %a : f32
    }
    vec.store %s, %y[%i] : f32, memref<4xf32>
  }
  func.return
}

// -----

// CHECK-LABEL: func.func @several_nests(
// CHECK-NEXT:    %one = arith.constant
// CHECK-NEXT:    loop.for %i < 4 parallel attributes {lamina.grid = array<i64: 0>} {
// CHECK:         loop.for %group < 1 parallel attributes {lamina.grid = array<i64: 0>} {
// CHECK-NEXT:      vec.store %one, %y[0] : f32, memref<8xf32>
// CHECK-NEXT:      %z = vec.load %x[1] : memref<8xf32> -> f32
// CHECK-NEXT:      %w = arith.negf %z : f32
// CHECK-NEXT:      vec.store %w, %y[1] : f32, memref<8xf32>
// CHECK-NEXT:    }
// CHECK-NEXT:    loop.for %k < 2 parallel attributes {lamina.grid = array<i64: 0>} {
func.func @several_nests(%x: memref<8xf32>, %y: memref<8xf32>) {
  loop.for %i < 4 parallel {
    %v = vec.load %x[%i] : memref<8xf32> -> f32
    vec.store %v, %y[%i] : f32, memref<8xf32>
  }
  %one = arith.constant 1.0 : f32
  vec.store %one, %y[0] : f32, memref<8xf32>
  %z = vec.load %x[1] : memref<8xf32> -> f32
  %w = arith.negf %z : f32
  vec.store %w, %y[1] : f32, memref<8xf32>
  loop.for %k < 2 parallel {
    vec.store %one, %y[%k + 2] : f32, memref<8xf32>
  }
  func.return
}

// -----

// Steps that meet in an element are taken one after the other.
// CHECK-LABEL: func.func @dependent(
// CHECK-NEXT:    loop.for %group < 1 parallel attributes {lamina.grid = array<i64: 0>} {
// CHECK-NEXT:      loop.for %i < 4 {
func.func @dependent(%x: memref<4xf32>, %y: memref<5xf32>) {
  loop.for %i < 4 {
    %v = vec.load %x[%i] : memref<4xf32> -> f32
    vec.store %v, %y[%i] : f32, memref<5xf32>
    vec.store %v, %y[%i + 1] : f32, memref<5xf32>
  }
  func.return
}

// -----

// Lanes see what others wrote when a launch has ended.
// CHECK-LABEL: func.func @written_and_read(
// CHECK-NEXT:    loop.for %group < 1 parallel
// CHECK-NEXT:      %a = vec.load %x[0]
// CHECK-NEXT:      vec.store %a, %t[0]
// CHECK-NEXT:      vec.store %a, %t[32]
// CHECK-NEXT:    }
// CHECK-NEXT:    loop.for %group_1 < 1 parallel
// CHECK-NEXT:      %b = vec.load %x[16]
// CHECK-NEXT:      %c = vec.load_strided %t[0] stride 2
func.func @written_and_read(%x: memref<32xf32>, %t: memref<48xf32>, %y: memref<16xf32>) {
  %a = vec.load %x[0] : memref<32xf32> -> vector<16xf32>
  vec.store %a, %t[0] : vector<16xf32>, memref<48xf32>
  vec.store %a, %t[32] : vector<16xf32>, memref<48xf32>
  %b = vec.load %x[16] : memref<32xf32> -> vector<16xf32>
  %c = vec.load_strided %t[0] stride 2 : memref<48xf32> -> vector<16xf32>
  %d = arith.addf %b, %c : vector<16xf32>
  vec.store %d, %y[0] : vector<16xf32>, memref<16xf32>
  func.return
}

// -----

// CHECK-LABEL: func.func @five_indices(
// CHECK-NEXT:    %one =
// CHECK-NEXT:    loop.for %h < 2, %i < 2, %j < 2, %k < 2, %l < 2 parallel attributes {lamina.grid = array<i64: 2, 2, 2, 1, 0>} {
func.func @five_indices(%y: memref<2x2x2x2x2xf32>) {
  %one = arith.constant 1.0 : f32
  loop.for %h < 2, %i < 2, %j < 2, %k < 2, %l < 2 {
    vec.store %one, %y[%h, %i, %j, %k, %l] : f32, memref<2x2x2x2x2xf32>
  }
  func.return
}

// -----

// CHECK-LABEL: func.func @network(
// CHECK-NEXT:    func.call @kernel(%y)
func.func private @kernel(memref<4xf32>)
func.func @network(%y: memref<4xf32>) {
  func.call @kernel(%y) : (memref<4xf32>) -> ()
  func.return
}

// -----

// CHECK: loop-map-to-grid: @value_for_a_nest: vec.load and vec.store, which uses its result, would be launched apart; keep it in a buffer
func.func @value_for_a_nest(%x: memref<4xf32>, %y: memref<4xf32>) {
  %v = vec.load %x[0] : memref<4xf32> -> f32
  loop.for %i < 4 parallel {
    vec.store %v, %y[%i] : f32, memref<4xf32>
  }
  func.return
}

// -----

// A lane may read what it writes itself.
// CHECK-LABEL: func.func @in_place(
// CHECK-NEXT:    loop.for %i < 3 parallel attributes {lamina.grid
// CHECK-NEXT:      %a = vec.load %y[%i, 0]
func.func @in_place(%y: memref<3x32xf32>) {
  loop.for %i < 3 {
    %a = vec.load %y[%i, 0] : memref<3x32xf32> -> vector<16xf32>
    %b = vec.load %y[%i, 16] : memref<3x32xf32> -> vector<16xf32>
    vec.store %a, %y[%i, 0] : vector<16xf32>, memref<3x32xf32>
    vec.store %b, %y[%i, 16] : vector<16xf32>, memref<3x32xf32>
  }
  func.return
}

// -----

// So it may if it reads several vectors at once.
// CHECK-LABEL: func.func @run_in_place(
// CHECK-NEXT:    loop.for %i < 3 parallel attributes {lamina.grid
func.func @run_in_place(%y: memref<3x32xf32>) {
  loop.for %i < 3 {
    %a, %b = vec.load_run %y[%i, 0] : memref<3x32xf32> -> vector<16xf32>, vector<16xf32>
    vec.store %a, %y[%i, 16] : vector<16xf32>, memref<3x32xf32>
    vec.store %b, %y[%i, 0] : vector<16xf32>, memref<3x32xf32>
  }
  func.return
}

// -----

// A step takes one of the branches, and other steps touch other elements.
// CHECK-LABEL: func.func @branches(
// CHECK-NEXT:    loop.for %i < 2 parallel attributes {lamina.grid
func.func @branches(%y: memref<24xf32>) {
  loop.for %i < 2 parallel {
    loop.if %i < 1 {
      %a = vec.load %y[%i * 16] : memref<24xf32> -> vector<16xf32>
      vec.store %a, %y[%i * 16] : vector<16xf32>, memref<24xf32>
    } else {
      %b = vec.load %y[16] : memref<24xf32> -> vector<8xf32>
      vec.store %b, %y[16] : vector<8xf32>, memref<24xf32>
    }
  }
  func.return
}

// -----

// CHECK: loop-map-to-grid: @other_lanes: vec.load reads a memref<3x32xf32> where another lane of the launch may write; let another nest read it
func.func @other_lanes(%y: memref<3x32xf32>) {
  loop.for %i < 3 {
    %a = vec.load %y[%i, 0] : memref<3x32xf32> -> vector<16xf32>
    vec.store %a, %y[%i, 8] : vector<16xf32>, memref<3x32xf32>
  }
  func.return
}

// -----

// CHECK: loop-map-to-grid: @other_lanes_of_a_run: vec.load_run reads a memref<3x32xf32> where another lane
func.func @other_lanes_of_a_run(%y: memref<3x32xf32>) {
  loop.for %i < 3 {
    %a, %b = vec.load_run %y[%i, 0] : memref<3x32xf32> -> vector<16xf32>, vector<16xf32>
    vec.store %a, %y[%i, 8] : vector<16xf32>, memref<3x32xf32>
  }
  func.return
}

// -----

// CHECK: loop-map-to-grid: @other_steps: vec.load reads a memref<48xf32> where another lane of the launch may write; let another nest read it
func.func @other_steps(%y: memref<48xf32>) {
  loop.for %i < 3 {
    %a = vec.load %y[%i * 8] : memref<48xf32> -> vector<16xf32>
    vec.store %a, %y[%i * 8] : vector<16xf32>, memref<48xf32>
  }
  func.return
}
